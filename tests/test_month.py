"""A month of many findings, 500 as a long proof: nobody gets more letters than the budget, quiet hours are kept, nothing is missed.

Then an officer leaves, the mail server dies, and nothing beats for a week: what was missed is shown, and made good.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from loop.engine.verify import verify
from loop.kernel.people import CHIEF, OFFICER
from loop.store.deliveries import GIVEN_UP
from loop.store.instants import text_of
from tests.month import LONELY, SECOND, Month, database, local
from tests.month_record import (
    ZONE,
    Record,
    alarms_of,
    assert_accounted,
    assert_kept,
    assert_told,
    held_back,
    is_open,
    is_repeat,
    payload_of,
    per_day,
    record,
)
from tests.web import Site

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 31)
AWAY = (date(2026, 3, 12), date(2026, 3, 19))
"""Days on which the mail server is away in the evening."""
MORNING = (8, 30)


@dataclass(frozen=True)
class Size:
    """How much happens: on which database, how many findings, how many letters a person may get in a day."""

    backend: str
    findings: int
    budget: int


SIZE = Size("sqlite", 80, 3)
LONG = [Size("sqlite", 500, 10), Size("postgresql", 80, 3), Size("postgresql", 500, 10)]


@pytest.fixture(
    scope="module", ids=lambda size: f"{size.backend}-{size.findings}",
    params=[SIZE, *(pytest.param(one, marks=pytest.mark.prove) for one in LONG)],
)  # fmt: skip
def size(request: pytest.FixtureRequest) -> Size:
    """How much happens in the month."""
    found: Size = request.param
    return found


@pytest.fixture(scope="module")
def month(size: Size, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The world of the month, before anything has happened."""
    folder = tmp_path_factory.mktemp("month")
    with database(size.backend, folder, request) as url:
        made = Month(url, folder, size.budget)
        yield made
        made.close()


@dataclass(frozen=True)
class Seen:
    """What the tables say, and what `GET /notifications/coverage` answers to whoever watches over everything."""

    record: Record
    coverage: dict[str, Any]

    @property
    def gaps(self) -> set[tuple[str, str, str | None]]:
        """Role, reason and person of every gap that is shown."""
        return {(gap["role"], gap["why"], gap["person"]) for gap in self.coverage["items"]}


def seen(month: Month, site: Site) -> Seen:
    answer = asyncio.run(site.get("admin", "/notifications/coverage?limit=200"))
    assert answer.status_code == 200, answer.text
    return Seen(record(month), answer.json())


@pytest.fixture(scope="module")
def site(month: Month) -> Site:
    """The API of the month."""
    return Site(month)


@pytest.fixture(scope="module")
def march(month: Month, site: Site, size: Size) -> Seen:
    """What March left. On two evenings the mail server is away for hours; in the last week an officer opens no message."""
    month.foresee(size.findings, FIRST)
    for day in AWAY:
        month.live(local(day, 17, 15))
        month.office.shut()
        month.live(local(day, 21, 15))
        month.office.open()
    month.live(local(date(2026, 3, 24), 23))
    month.deaf.update(month.bureaus[LONELY].seats[OFFICER])
    month.live(local(LAST, 23))
    return seen(month, site)


# ---- a month like any other ------------------------------------------------------------------------------------------


def test_nobody_gets_more_than_the_budget_and_only_danger_to_life_goes_out_of_hours(
    march: Seen, month: Month, size: Size
) -> None:
    assert_kept(march.record, month.engine.book.calendar, size.budget)
    disturbed = [one for one in march.record.letters if not is_open(one.at, month.engine.book.calendar)]
    assert disturbed
    assert all(one.urgent for one in disturbed)


def test_every_person_whom_a_step_names_is_told_of_it_and_it_goes_by_a_channel(march: Seen) -> None:
    assert_told(march.record)
    assert_accounted(march.record)


def test_the_mail_server_got_each_letter_once_even_those_it_was_away_for(march: Seen) -> None:
    sent = [letter.key for letter in march.record.letters if letter.channel == "mail"]
    assert Counter(one.key for one in march.record.taken) == Counter(sent)
    again = [one for one in march.record.deliveries.values() if one.failures]
    assert again
    assert all(one.sent_at for one in again)


def test_what_was_over_the_budget_came_as_one_digest_the_next_morning(march: Seen, month: Month, size: Size) -> None:
    known, calendar = march.record, month.engine.book.calendar
    alarms = alarms_of(known)
    assert alarms
    most = per_day(known.ordinary)
    assert {most[person, day] for person, day in alarms if day not in AWAY} == {size.budget}
    late = held_back(known, calendar)
    assert {(person, day) for person, day, _ in late} <= alarms
    for person, day, letter in late:
        following = calendar.on_or_after(day + timedelta(days=1))
        assert (letter.day, letter.at.timetuple()[3:5]) == (following, MORNING)
        assert {one.id for who, when, one in late if (who, when, one.channel) == (person, day, letter.channel)} == {
            letter.id
        }
    assert max(len(letter.copies) for _, _, letter in late) > 1


def test_every_alarm_reached_somebody(march: Seen) -> None:
    told = march.record.told()
    for event in march.record.events:
        if event.action == "budget_reached":
            assert [one for one in told if one[:2] == (event.chain, event.seq)], payload_of(event)


def test_at_the_end_of_the_month_nothing_is_missing(march: Seen) -> None:
    assert [gap for gap in march.record.gaps if gap.healed_at is None] == []
    assert march.coverage["items"] == []
    assert (march.coverage["owed"], march.coverage["given_up"]) == (0, 0)


# ---- an officer leaves -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """What is seen while something is wrong, and once it has been mended."""

    wrong: Seen
    mended: Seen


@pytest.fixture(scope="module")
def leaving(month: Month, site: Site, size: Size, march: Seen) -> Trouble:
    """The only officer of a county leaves with letters unread; two days later somebody takes over."""
    month.foresee(size.findings // 10, date(2026, 4, 1), days=20)
    month.live(local(date(2026, 4, 1), 16, 30))
    (officer,) = month.bureaus[LONELY].seats[OFFICER]
    done(site, "PATCH", f"/users/{month.cast.ids[officer]}", {"active": False})
    month.bureaus[LONELY].seats[OFFICER] = []
    month.live(local(date(2026, 4, 2), 18))
    wrong = seen(month, site)
    month.live(local(date(2026, 4, 3), 9))
    done(site, "POST", "/users", {"name": HEIR, "full_name": "继任", "role": OFFICER, "region": LONELY})
    month.succeed(LONELY, OFFICER, HEIR)
    month.live(local(date(2026, 4, 7), 9, 30))
    return Trouble(wrong, seen(month, site))


HEIR = "heir-of-officer"


def done(site: Site, method: str, path: str, body: Any = None) -> Any:
    """The administrator does something that must succeed."""
    answer = asyncio.run(site.call("admin", method, path, body))
    assert answer.is_success, answer.text
    return answer.json()


def told_in_place(known: Record, role: str) -> dict[str, set[str]]:
    """Who stood in for a role, with the numbers of the findings they were told of."""
    found: dict[str, set[str]] = {}
    for message in known.messages.values():
        if message.gap == role:
            found.setdefault(known.names[message.person_id], set()).add(message.chain)
    return found


def test_who_leaves_without_a_successor_leaves_a_gap_and_the_next_office_up_is_told(leaving: Trouble) -> None:
    shown = [gap for gap in leaving.wrong.coverage["items"] if gap["role"] == OFFICER]
    assert {gap["office"] for gap in shown} == {f"C{LONELY}"}
    assert {gap["why"] for gap in shown} == {"stood_in"}
    told = told_in_place(leaving.wrong.record, OFFICER)
    assert {"city_chief", "city_director"} <= set(told)
    assert {gap["finding"] for gap in shown} <= told["city_chief"]
    left = [gap for gap in leaving.wrong.record.gaps if gap.why == "left"]
    assert left
    assert all(gap.healed_by.startswith("told at step") or gap.healed_by == "closed" for gap in left)


def test_the_successor_is_told_of_everything_that_the_post_has_missed(leaving: Trouble) -> None:
    missed = {gap["finding"] for gap in leaving.wrong.coverage["items"]}
    known = leaving.mended.record
    told = {m.chain for m in known.messages.values() if known.names[m.person_id] == HEIR and not m.gap}
    over = {gap.chain for gap in known.gaps if gap.healed_by == "closed"}
    assert missed <= told | over
    assert missed & told
    assert leaving.mended.coverage["items"] == []


# ---- a channel dies --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outage(month: Month, site: Site, leaving: Trouble) -> Trouble:
    """The mail server is away for a day; then the administrator replays what was given up."""
    month.live(local(date(2026, 4, 7), 10))
    month.office.shut()
    month.live(local(date(2026, 4, 8), 12))
    wrong = seen(month, site)
    month.live(local(date(2026, 4, 9), 9))
    month.office.open()
    for letter in given_up(site):
        done(site, "POST", f"/deliveries/{letter['id']}/replay")
    month.live(local(date(2026, 4, 14), 18))
    return Trouble(wrong, seen(month, site))


def given_up(site: Site) -> list[dict[str, Any]]:
    """Every letter that was given up, as the API lists them."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = done(site, "GET", f"/deliveries?dead=true&limit=200{after}")
        found += page["items"]
        if not page["next"]:
            return found
        after = f"&after={page['next']}"


def test_a_channel_that_died_is_shown_told_and_gone_around(outage: Trouble) -> None:
    known = outage.wrong.record
    dead = {one.id: one for one in known.deliveries.values() if one.dead == GIVEN_UP}
    assert outage.wrong.coverage["given_up"] == len(dead) > 0
    assert [event for event in known.events if event.action == "letters_given_up"]
    missed = {
        (gap.chain, gap.seq, gap.person_id) for gap in known.gaps if gap.why == "undelivered" and not gap.healed_at
    }
    assert len(outage.wrong.coverage["items"]) >= len(missed) > 0
    by_desk = {copy.message_id: known.of_copy(copy) for copy in known.copies if copy.channel == "desk"}
    for copy in known.copies:
        if copy.delivery_id in dead and not copy.dropped:
            message = known.messages[copy.message_id]
            if (message.person_id, "desk") in known.reached:
                assert copy.message_id in by_desk
            else:
                assert message.read_at or (message.chain, message.seq, message.person_id) in missed


def test_once_it_is_back_replays_heal_what_was_missed(outage: Trouble) -> None:
    known = outage.mended.record
    assert (outage.mended.coverage["items"], outage.mended.coverage["given_up"]) == ([], 0)
    healed = Counter(gap.healed_by for gap in known.gaps if gap.why == "undelivered")
    assert healed["sent at last"] > 0
    assert Counter(one.key for one in known.taken) == Counter(one.key for one in known.letters if one.channel == "mail")


# ---- nothing beats for a week ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Downtime:
    """What is seen just before the beat comes back, just after, and two days later."""

    began: datetime
    ended: datetime
    asleep: Seen
    woken: Seen
    after: Seen


@pytest.fixture(scope="module")
def downtime(month: Month, site: Site, outage: Trouble) -> Downtime:
    """No beat for a week in which people act, a chief's post passes on and deadlines fall; it comes back in the evening."""
    began, change = month.clock, date(2026, 4, 17)
    (chief,) = month.bureaus[SECOND].seats[CHIEF]
    month.sleep_until(local(change, 22, 30))
    held = done(site, "GET", f"/users/{month.cast.ids[chief]}")["posts"][0]
    body = {"end_posts": [{"post": held["id"], "until_on": change.isoformat()}]}
    done(site, "PATCH", f"/users/{month.cast.ids[chief]}", body)
    following = (change + timedelta(days=1)).isoformat()
    heir = {"name": NEXT_CHIEF, "full_name": "新主任", "role": CHIEF, "region": SECOND, "from_on": following}
    done(site, "POST", "/users", heir)
    month.sleep_until(local(date(2026, 4, 18), 8))
    month.succeed(SECOND, CHIEF, NEXT_CHIEF)
    month.sleep_until(local(date(2026, 4, 21), 21, 30))
    asleep = seen(month, site)
    month.leap_to(month.clock)
    month.parts.reconciliation.run()
    month.parts.outbox.drain()
    ended, woken = month.clock, seen(month, site)
    month.live(local(date(2026, 4, 23), 23))
    return Downtime(began, ended, asleep, woken, seen(month, site))


NEXT_CHIEF = "heir-of-chief"


def test_a_week_without_a_beat_is_shown_as_what_is_owed(downtime: Downtime) -> None:
    assert downtime.asleep.coverage["owed"] > 0
    assert [one for one in downtime.asleep.record.letters if one.at > downtime.began] == []


def test_what_fell_due_meanwhile_is_taken_once_in_its_order(downtime: Downtime) -> None:
    events = [event for event in downtime.after.record.events if event.timer_id]
    assert max(Counter((event.timer_id, event.rung) for event in events).values()) == 1
    made_up = [event for event in events if event.at == text_of(downtime.ended) and event.due_at < event.at]
    assert len({event.due_at[:10] for event in made_up}) > 2
    for chain in {event.chain for event in made_up}:
        due = [event.due_at for event in made_up if event.chain == chain]
        assert due == sorted(due)


def test_what_is_caught_up_at_night_waits_for_the_morning_and_comes_once(downtime: Downtime, month: Month) -> None:
    known = downtime.after.record
    at_night = [one for one in known.letters if one.at == downtime.ended.astimezone(ZONE)]
    assert all(one.urgent for one in at_night)
    morning = local(date(2026, 4, 22), 8).astimezone(ZONE)
    first = Counter((one.person, one.channel) for one in known.ordinary if one.at == morning)
    assert first
    assert max(first.values()) == 1
    during = {m.id for m in known.messages.values() if text_of(downtime.began) < m.queued_at <= text_of(downtime.ended)}
    sent = Counter(
        (copy.message_id, copy.channel) for one in known.letters for copy in one.copies
        if copy.message_id in during and not is_repeat(copy)
    )  # fmt: skip
    assert set(sent.values()) == {1}
    assert_accounted(known)


def test_who_came_into_office_meanwhile_is_told_what_was_left(downtime: Downtime) -> None:
    known = downtime.woken.record
    left = [gap for gap in known.gaps if gap.why == "left" and gap.role == CHIEF]
    assert left
    assert all(gap.healed_at for gap in left)
    told = {
        m.chain for m in known.messages.values() if known.names[m.person_id] == NEXT_CHIEF and m.step == "make_good"
    }
    assert told == {gap.chain for gap in left if gap.healed_by.startswith("told at step")}
    assert downtime.after.coverage["items"] == []


# ---- all of it -------------------------------------------------------------------------------------------------------


def test_through_all_of_it_hours_and_budget_were_kept_and_history_bears_it_out(
    downtime: Downtime, month: Month, size: Size
) -> None:
    assert month.refused == []
    assert_kept(downtime.after.record, month.engine.book.calendar, size.budget)
    assert_told(downtime.after.record)
    report = verify(month.parts.store, month.parts.evidence)
    assert report.ok, report.fault
