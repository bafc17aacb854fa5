"""A calendar program of the tests: subscribes as a person would and reads the feed by a real iCalendar parser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import httpx
from icalendar import Alarm, Calendar, Event

from loop.api.registry_shapes import TokenMade
from tests.web import API, Site


async def address(site: Site, who: str) -> str:
    """A new address of the feed of `who`, made as they would make it."""
    made = await site.post(who, "/tokens", {"name": "手机日历", "scopes": ["calendar"]})
    assert made.status_code == 201, made.text
    shown = TokenMade.model_validate(made.json())
    assert shown.feed == f"{API}/calendar.ics?token={shown.token}"
    return shown.feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An event as a calendar program shows it."""

    uid: str
    day: date
    summary: str
    description: str
    status: str
    sequence: int
    changed_at: datetime
    categories: list[str]
    rings: timedelta | None

    @property
    def live(self) -> bool:
        """Whether it is not cancelled."""
        return self.status != "CANCELLED"


def shown(event: Event) -> Shown:
    """An event that has all it must have."""
    assert {*event.required, "SEQUENCE", "SUMMARY", "STATUS"} <= set(event)
    assert type(event.DTSTART) is date
    assert str(event["transp"]) == "TRANSPARENT"
    assert event.LAST_MODIFIED is not None
    assert event.DTSTAMP == event.LAST_MODIFIED
    rings = None
    for alarm in event.walk("VALARM"):
        assert isinstance(alarm, Alarm)
        assert (str(alarm["action"]), alarm["description"], rings) == ("DISPLAY", event["summary"], None)
        assert isinstance(alarm.TRIGGER, timedelta)
        rings = alarm.TRIGGER
    return Shown(
        uid=str(event["uid"]), day=event.DTSTART, summary=str(event["summary"]), description=str(event["description"]),
        status=str(event["status"]), sequence=event.sequence, changed_at=event.LAST_MODIFIED,
        categories=list(event.categories), rings=rings,
    )  # fmt: skip


class Subscriber:
    """A calendar program that looks at one address again and again."""

    def __init__(self, site: Site, feed: str) -> None:
        self.site, self.feed = site, feed

    async def get(self, **headers: str) -> httpx.Response:
        """The answer as it comes."""
        return await self.site.get(None, self.feed, headers=headers)

    async def calendar(self) -> Calendar:
        """The whole calendar, parsed."""
        answer = await self.get()
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        calendar = Calendar.from_ical(answer.content)
        assert isinstance(calendar, Calendar)
        assert calendar.errors == []
        return calendar

    async def events(self) -> list[Shown]:
        """Every event, each under a name of its own."""
        found = [shown(event) for event in (await self.calendar()).events]
        assert len({event.uid for event in found}) == len(found)
        return found

    async def named(self, label: str) -> list[Shown]:
        """The events about deadlines of this name."""
        return [event for event in await self.events() if event.summary.startswith(label)]

    async def one(self, label: str) -> Shown:
        """The only one of them."""
        (found,) = await self.named(label)
        return found

    async def live(self) -> list[str]:
        """What is not cancelled."""
        return [event.summary for event in await self.events() if event.live]


async def subscribed(site: Site, who: str) -> Subscriber:
    return Subscriber(site, await address(site, who))
