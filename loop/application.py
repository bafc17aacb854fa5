"""The second half of the composition root: the application that serves HTTP, put together from the running parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI

from loop.access import Access
from loop.api.app import create_app
from loop.bootstrap import MIB, Parts
from loop.service import Policy, Service
from loop.web.install import install


@contextmanager
def _watching(parts: Parts) -> Iterator[None]:
    """Where no heart beats, the calendar still follows what other processes load."""
    watch = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    watch.add_job(parts.almanac.refresh, "interval", seconds=parts.settings.server.beat_seconds)
    watch.start()
    try:
        yield
    finally:
        watch.shutdown(wait=True)


@contextmanager
def web(parts: Parts, *, scheduler: bool) -> Iterator[FastAPI]:
    """The application over these parts; with `scheduler` the heart beats as long as the context lasts."""
    settings, auth = parts.settings, parts.settings.auth
    service = Service(
        engine=parts.engine, evidence=parts.evidence, outbox=parts.outbox, beat=parts.beat if scheduler else None,
        access=Access(
            parts.engine, session=auth.session,
            attempts=auth.login_attempts, window=timedelta(minutes=auth.login_window_minutes),
        ),
        policy=Policy(
            body_limit=settings.server.max_body_mb * MIB, upload_limit=settings.storage.max_upload_mb * MIB,
            https_only=auth.https_only, token_life=auth.token, tip_offs_per_hour=auth.tip_offs_per_hour,
        ),
    )  # fmt: skip
    app = create_app(service)
    install(app, service)
    if not scheduler:
        with _watching(parts):
            yield app
        return
    parts.beat.start()
    try:
        yield app
    finally:
        parts.beat.stop()
