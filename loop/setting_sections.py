"""The sections of config.toml: which settings each has, and what a value must look like."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from loop.kernel.rules import Provenance, parse_duration


def _span(text: object) -> object:
    """Read "12h" or "7d" as a time span; other units have no fixed length."""
    if not isinstance(text, str):
        return text
    number, unit = parse_duration(text)
    if unit not in {"d", "h"}:
        raise ValueError(f'{text!r} has no fixed length: write days ("7d") or hours ("12h")')
    return timedelta(days=number) if unit == "d" else timedelta(hours=number)


def _limit(text: str) -> str:
    _, unit = parse_duration(text)
    if unit == "h":
        raise ValueError('a time limit is counted in days ("30d"), working days ("15wd") or months ("6mo")')
    return text


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, LookupError) as unknown:
        raise ValueError(f'{name!r} is no known time zone: write an IANA name such as "Asia/Shanghai"') from unknown


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError('a database is written "sqlite:///path" or "postgresql+psycopg://user@host/name"')
    return url


def _content(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ValueError(f"{path} can't be read ({unreadable})") from unreadable


def _url_file(path: str) -> str:
    if path:
        _database_url(_content(path))
    return path


def _document_number(pattern: str) -> str:
    try:
        first, second = (pattern.format(word="督", year=2026, serial=serial) for serial in (1, 2))
    except (KeyError, IndexError, ValueError, AttributeError) as wrong:
        raise ValueError("only {word}, {year} and {serial} may stand in braces") from wrong
    if first == second or "{year}" not in pattern or "{word}" not in pattern:
        raise ValueError("{word}, {year} and {serial} are all needed, or numbers would repeat")
    return pattern


def _some(items: tuple[object, ...]) -> tuple[object, ...]:
    """Unlike Pydantic's own length check this one is silent when the items themselves are wrong."""
    if not items:
        raise ValueError("at least one is needed")
    return items


def _base_url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError('the address of the pages is written "https://loop.example.gov.cn", or left empty')
    return url


def _working_days(text: str) -> str:
    if parse_duration(text)[1] != "wd":
        raise ValueError('is counted in working days ("2wd")')
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as wrong:
        raise ValueError(f'{text!r} is no network: write "10.1.0.0/16" or "10.1.2.3/32"') from wrong


RESERVED = frozenset({"inbox", "webhook", "personal", "each", "robots"})
NotEmpty = AfterValidator(_some)
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Limit = Annotated[str, AfterValidator(_limit)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Part(BaseModel):
    """A section; a misspelt name stops the start instead of being ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Part):
    """What a time limit says of itself beside its value; `source_en` is its source in English."""

    source: Text
    source_en: str = ""
    provenance: Provenance


class TimeLimit(Sourced):
    """One time limit."""

    value: Limit


class TimeLimits(Sourced):
    """Several time limits from the same start."""

    value: Annotated[tuple[Limit, ...], NotEmpty]


class Database(Part):
    """Where everything is kept; `url` is already the content of `url_file` where one is named."""

    url_file: Annotated[str, AfterValidator(_url_file)]
    url: Annotated[str, Field(repr=False), AfterValidator(_database_url)]

    @field_validator("url", mode="before")
    @classmethod
    def take_from_file(cls, url: object, info: ValidationInfo) -> object:
        path = info.data.get("url_file")
        return _content(path) if path else url


class Server(Part):
    """Address, local time, and the beat of the scheduler."""

    host: Text
    port: Annotated[int, Field(ge=0, le=65535)]
    zone: Annotated[str, AfterValidator(_zone)]
    max_body_mb: Count
    beat_seconds: Count


class WorkingCalendar(Part):
    """Nothing to set; the days are data."""


class LadderSteps(Part):
    """When each rung is taken."""

    warn_before: tuple[Count, ...]
    urge_after: Count
    order_after: Count
    interview_after: Count
    set_date_after: Count
    bulletin_answer_refer_after: Count
    at: TimeOfDay
    remind_then: Limit
    remind_every: Limit

    @field_validator("order_after", "interview_after", "bulletin_answer_refer_after")
    @classmethod
    def rungs_rise(cls, days: int, info: ValidationInfo) -> int:
        lower = "urge_after" if info.field_name == "order_after" else "order_after"
        if days <= info.data.get(lower, 0):
            raise ValueError(f"this rung must come later than {lower}")
        return days


class Lookback(Part):
    """When a written-off finding is visited again."""

    points: TimeLimits
    points_grave: TimeLimits


class Disputes(Part):
    """The local model of objections."""

    opinion_decided_by: Literal["same_office", "superior"]
    opinion_appeal: bool


class Notifications(Part):
    """How people are told: the outbox, the hours, the budget, leaders' links, the networks that may be reached."""

    lease_seconds: Count
    attempts: Count
    base_url: Annotated[str, AfterValidator(_base_url)]
    quiet_from: TimeOfDay
    quiet_until: TimeOfDay
    morning: TimeOfDay
    weekly: Literal["mon", "tue", "wed", "thu", "fri"]
    budget: Count
    repeat_after: Annotated[str, AfterValidator(_working_days)]
    repeat_most: Count
    link: Span
    allow_networks: tuple[Annotated[str, AfterValidator(_network)], ...]

    @field_validator("morning")
    @classmethod
    def not_in_quiet_hours(cls, morning: str, info: ValidationInfo) -> str:
        begin, end = info.data.get("quiet_from", "24:00"), info.data.get("quiet_until", "00:00")
        quiet = begin <= morning < end if begin < end else not end <= morning < begin
        if quiet:
            raise ValueError(f"the morning digest must lie outside the quiet hours {begin} to {end}")
        return morning


class ChannelEntry(BaseModel):
    """One configured channel: its name, its kind, the office whose findings a group hears of, and what its kind needs."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
    kind: Text
    region: str = ""

    @field_validator("name")
    @classmethod
    def not_taken(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"the names {', '.join(sorted(RESERVED))} are taken; choose another")
        return name


class RouteEntry(Part):
    """One row of the table of routes; see `loop.kernel.routes.Route`."""

    name: Text
    steps: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    danger: bool = False
    via: tuple[str, ...] = ("personal",)
    when: Literal["now", "day", "morning", "weekly"] = "day"
    receipt: bool = False
    may_be_off: bool = False


class Documents(Part):
    """How papers are numbered."""

    number: Annotated[str, AfterValidator(_document_number)]


class Storage(Part):
    """Where evidence lies and what is accepted."""

    evidence: Text
    max_upload_mb: Count
    types: Annotated[tuple[str, ...], NotEmpty]


class Auth(Part):
    """Sessions, tokens and throttles."""

    session: Span
    token: Span
    login_attempts: Count
    login_window_minutes: Count
    tip_offs_per_hour: Count
    https_only: bool


class Retention(Part):
    """How long what is not history is kept."""

    idempotency: Span


class Observability(Part):
    """How the service speaks of itself."""

    log_format: Literal["auto", "console", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
