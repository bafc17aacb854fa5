"""The same action on many findings at once: one transaction, one paper, for all or for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.deps import once_of, service_of, shaped, writer
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_ACTIONS, body, said
from loop.api.service import Service
from loop.api.views import both, document_view, instant
from loop.engine.door import Aim
from loop.engine.record import Outcome
from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.kernel.payloads import Code, Flag
from loop.store import names
from loop.store.session import Tx
