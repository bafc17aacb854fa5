"""The configured channels, and what one of them answers to a test letter; for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import require
from loop.engine.trial import Trial, trial
from loop.kernel import people
from loop.kernel.errors import Invalid, NotFound
from loop.kernel.labels import Label
from loop.kernel.messages import PERSON
from loop.store import names
from loop.store.session import Tx
from loop.web.faults import wrong_of
from loop.web.page import Page, Visitor, admit, service_of, show
from loop.web.profile_wishes import kind_of
from loop.web.sent import sent_of
from loop.web.telling import ADMIN, CHANNELS, CHANNELS_TITLE, REACHES

router = APIRouter()
LEAD = Label(
    "收件箱之外通知人员的渠道。渠道在配置文件中设置，密钥不在此显示。",
    "By what people are told besides their inbox. They are set in the configuration; secrets are not shown.",
)
ADDRESS = "address"
LONGEST = 200
NO_ADDRESS = ("请填写测试信发往的地址。", "say where the test letter goes.")


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel, and how its test went where one was just made."""

    name: str
    kind: Label
    reaches: Label
    region: str
    per_minute: int
    needs_address: bool
    tried: Trial | None = None
    typed: str = ""
    wrong: Mapping[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelsView:
    """Every configured channel."""

    lines: tuple[ChannelLine, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """Which channel was tested with which address, and how it went."""

    name: str = ""
    address: str = ""
    trial: Trial | None = None
    fault: Invalid | None = None


@router.get(CHANNELS)
async def channels(request: Request) -> Response:
    """What is configured."""
    return await show(request, lambda tx, visitor: _page(tx, visitor, Tested()))


@router.post(f"{CHANNELS}/{{name}}/test")
async def test(request: Request, name: str) -> Response:
    """Send a test letter, and say what the channel answered. Pressed again, it goes again."""
    sent, service = await sent_of(request), service_of(request)
    visitor = await admit(request, sent)
    require(visitor.actor, people.ADMIN)
    if name not in service.outbox.postage.ways:
        raise NotFound
    channel, address = service.outbox.channels[name], sent.get(ADDRESS).strip()
    try:
        if channel.reaches == PERSON and not 0 < len(address) <= LONGEST:
            raise Invalid.field(ADDRESS, *NO_ADDRESS, "missing")
        tested = Tested(name, address, await trial(channel, address))
    except Invalid as fault:
        tested = Tested(name, address, fault=fault)
    return await show(request, lambda tx, visitor: _page(tx, visitor, tested))


def _page(tx: Tx, visitor: Visitor, tested: Tested) -> Page:
    require(visitor.actor, people.ADMIN)
    outbox = visitor.service.outbox
    ways = outbox.postage.ways.values()
    regions = names.of_regions(tx, (way.region for way in ways))
    lines = tuple(
        ChannelLine(
            way.name, kind_of(outbox.channels[way.name].kind), REACHES[way.reaches], regions.get(way.region, way.region),
            way.per_minute, way.reaches == PERSON, *_outcome(way.name, tested),
        )
        for way in ways
    )  # fmt: skip
    status = tested.fault.status if tested.fault else 200
    return Page(
        template="telling_channels.html", title=CHANNELS_TITLE, lead=LEAD, crumbs=(ADMIN,), view=ChannelsView(lines), status=status
    )  # fmt: skip


def _outcome(name: str, tested: Tested) -> tuple[Trial | None, str, Mapping[str, Label]]:
    return (tested.trial, tested.address, wrong_of(tested.fault)) if tested.name == name else (None, "", {})
