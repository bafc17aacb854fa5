"""The rest of the registry: access, repeated requests, supervisions and tip-offs."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from loop.kernel.errors import Conflict, IdempotencyMismatch, Invalid, NotFound
from loop.store import accounts, journal, requests, staff, supervisions, tip_offs
from loop.store.requests import Answer
from loop.store.session import Store, Tx
from loop.store.supervisions import Satisfaction, Supervision
from loop.store.tip_offs import Sealed
from tests.small_country import (
    BY,
    COUNTY,
    NOW,
    OTHER_PROVINCE,
    TODAY,
    SmallCountry,
    entries,
    found,
    refused,
    somebody,
)

DAY = timedelta(days=1)


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


# ---- access ------------------------------------------------------------------------------------------------------


def test_a_token_is_told_once_and_ends(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "bot", "officer", region=COUNTY))
    token, clear = store.write(
        lambda tx: accounts.create_token(
            tx, person_id=who.id, name="同步", scopes=("read", "act"), expires_at=NOW + DAY, now=NOW
        )
    )
    assert clear.startswith("loop_")
    assert token.scopes == ("act", "read")
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) == token
    assert store.read(lambda tx: accounts.token_of(tx, clear + "x", NOW)) is None
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW + DAY)) is None
    assert clear not in repr(store.read(lambda tx: accounts.tokens_of(tx, who.id)))

    store.write(lambda tx: accounts.used(tx, token, TODAY))
    used = store.read(lambda tx: accounts.token(tx, token.id))
    assert used.used_on == TODAY
    written: list[str] = []
    store.trace = lambda text, _: written.append(text)
    store.write(lambda tx: accounts.used(tx, used, TODAY))
    assert not [text for text in written if text.startswith("UPDATE")]
    store.trace = None

    store.write(lambda tx: staff.change_person(tx, BY, who.id, {"active": False}))
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) is None
    store.write(lambda tx: staff.change_person(tx, BY, who.id, {"active": True}))
    store.write(lambda tx: accounts.revoke_token(tx, token.id))
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) is None
    refused(store, NotFound, lambda tx: accounts.revoke_token(tx, "nothing"))


def test_a_session_lasts_until_it_ends(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "sun", "officer", region=COUNTY))

    def sign_in() -> str:
        begun, clear = store.write(lambda tx: accounts.open_session(tx, person_id=who.id, expires_at=NOW + DAY))
        assert store.read(lambda tx: accounts.session_of(tx, clear, NOW)) == begun
        return clear

    first, second = sign_in(), sign_in()
    assert store.read(lambda tx: accounts.session_of(tx, first, NOW + DAY)) is None
    store.write(lambda tx: accounts.end_session(tx, first))
    assert store.read(lambda tx: accounts.session_of(tx, first, NOW)) is None
    assert store.read(lambda tx: accounts.session_of(tx, second, NOW))
    store.write(lambda tx: accounts.set_password(tx, BY, who.id, "new hash"))
    assert store.read(lambda tx: accounts.session_of(tx, second, NOW)) is None
    assert store.read(lambda tx: accounts.login_of(tx, "sun")) == accounts.Login(who.id, "new hash", active=True)
    assert store.read(lambda tx: accounts.login_of(tx, "nobody")) is None
    sign_in()
    assert store.write(lambda tx: accounts.forget_sessions(tx, NOW)) == 0
    assert store.write(lambda tx: accounts.forget_sessions(tx, NOW + DAY)) == 1


# ---- repeated requests -------------------------------------------------------------------------------------------


def test_a_repeated_request_finds_its_answer(store: Store) -> None:
    answer = Answer("digest", 201, '{"location":"/x"}', '{"ok":true}')

    def first(tx: Tx) -> None:
        assert requests.claim(tx, "p", "key", "digest", NOW) is None
        requests.remember(tx, "p", "key", answer, NOW)

    store.write(first)
    assert store.read(lambda tx: requests.earlier(tx, "p", "key")) == answer
    assert store.write(lambda tx: requests.claim(tx, "p", "key", "digest", NOW)) == answer
    assert store.read(lambda tx: requests.earlier(tx, "other", "key")) is None
    with pytest.raises(IdempotencyMismatch):
        store.write(lambda tx: requests.claim(tx, "p", "key", "another", NOW))
    assert store.write(lambda tx: requests.forget_before(tx, NOW)) == 0
    assert store.write(lambda tx: requests.forget_before(tx, NOW + DAY)) == 1
    assert store.read(lambda tx: requests.earlier(tx, "p", "key")) is None


def test_a_refused_request_leaves_its_key_free(store: Store) -> None:
    def refuse(tx: Tx) -> None:
        assert requests.claim(tx, "p", "key", "digest", NOW) is None
        raise Conflict

    for _ in range(2):
        with pytest.raises(Conflict):
            store.write(refuse)


def test_twins_in_flight_run_once(store: Store) -> None:
    answer = Answer("digest", 200, "{}", "done")
    ran: list[int] = []

    def request(tx: Tx) -> Answer:
        if earlier := requests.claim(tx, "p", "key", "digest", NOW):
            return earlier
        ran.append(1)
        requests.remember(tx, "p", "key", answer, NOW)
        return answer

    futures = [store.submit(request) for _ in range(8)]
    assert {future.result(timeout=30) for future in futures} == {answer}
    assert len(ran) == 1


# ---- supervisions ------------------------------------------------------------------------------------------------


def campaign(country: SmallCountry, **more: Any) -> Supervision:
    base = Supervision(
        "", country.county.id, "special", "校园安全专项督导", date(2026, 3, 1), date(2026, 3, 20), lead="a",
        team=("b", "a"), matters=("校舍", "消防"),
    )  # fmt: skip
    return replace(base, **more)


@pytest.fixture
def team(store: Store, country: SmallCountry) -> SmallCountry:
    def arrange(tx: Tx) -> None:
        for name, role in (("a", "inspector"), ("b", "inspector"), ("c", "officer")):
            somebody(tx, name, role, region=COUNTY)

    store.write(arrange)
    return country


def test_a_supervision_has_a_team_and_a_chain(store: Store, team: SmallCountry) -> None:
    made = store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team)))
    assert replace(made, id="") == campaign(team, team=("a", "b"))
    fact = store.read(lambda tx: supervisions.supervision_fact(tx, made.id, TODAY))
    assert fact
    assert (fact.kind, fact.office_id, fact.inspectors) == ("special", team.county.id, 2)
    told = Satisfaction("问卷", 100, 93)
    changes = {"team": ("a", "b", "c"), "report": "报告", "satisfaction": told}
    changed = store.write(lambda tx: supervisions.change_supervision(tx, BY, made.id, changes))
    assert (changed.team, changed.report, changed.satisfaction) == (("a", "b", "c"), "报告", told)
    again = store.read(lambda tx: supervisions.supervision_fact(tx, made.id, TODAY))
    assert again
    assert again.inspectors == 2
    chain = store.read(lambda tx: entries(tx, f"supervision:{made.id}"))
    assert chain == ["add_supervision", "change_supervision"]
    listed = store.read(lambda tx: supervisions.supervisions(tx, offices=[team.county.id]))
    assert listed.items == (changed,)
    assert store.read(lambda tx: supervisions.supervisions(tx, offices=[team.other.id])).items == ()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "tip_off"}),
        ("period", {"until_on": date(2026, 2, 1)}),
        ("team", {"team": ("nobody",)}),
        ("team", {"lead": "nobody"}),
        ("title", {"title": ""}),
        ("satisfaction", {"satisfaction": Satisfaction("问卷", 3, 4)}),
        ("office_id", {"office_id": "o"}),
    ],
)
def test_a_supervision_that_cannot_be(store: Store, team: SmallCountry, field: str, changes: dict[str, Any]) -> None:
    made = store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team)))
    with pytest.raises(Invalid) as caught:
        store.write(lambda tx: supervisions.change_supervision(tx, BY, made.id, changes))
    assert [fault.field for fault in caught.value.faults] == [field]
    assert store.read(lambda tx: supervisions.supervision(tx, made.id)) == made


def test_a_supervision_of_no_office(store: Store, team: SmallCountry) -> None:
    with pytest.raises(Invalid):
        store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team, office_id="nothing")))
    with pytest.raises(NotFound):
        store.read(lambda tx: supervisions.supervision(tx, "nothing"))


# ---- tip-offs ----------------------------------------------------------------------------------------------------


def test_a_tip_off_is_answered_by_its_receipt(store: Store, country: SmallCountry) -> None:
    who = Sealed("林某", "13900000000")
    made, code = store.write(
        lambda tx: tip_offs.receive(tx, BY, matter="食堂卫生差", unit_id=country.school.id, sealed=who)
    )
    assert made.office_id == country.county.id
    spoken = code.replace("-", " ").lower()
    assert store.read(lambda tx: tip_offs.by_receipt(tx, spoken)) == made
    assert store.read(lambda tx: tip_offs.sealed_of(tx, made.id)) == who
    store.write(lambda tx: tip_offs.answer(tx, BY, made.id, status="checking"))
    done = store.write(lambda tx: tip_offs.answer(tx, BY, made.id, status="answered", result="已整改"))
    assert (done.status, done.result, done.answered_at) == ("answered", "已整改", NOW)
    trail = store.read(lambda tx: journal.trail(tx, f"tip-off:{made.id}"))
    assert [entry.action for entry in trail] == ["receive_tip_off", "answer_tip_off", "answer_tip_off"]
    told = repr(trail) + repr(store.read(lambda tx: tip_offs.tip_offs(tx, offices=[country.county.id])))
    for secret in ("林某", "13900000000", code):
        assert secret not in told


def test_a_finding_waits_for_the_tip_offs_on_it_but_not_for_its_own(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> list[str]:
        made = [tip_offs.receive(tx, BY, matter=f"事{n}", region=COUNTY)[0].id for n in range(3)]
        for n, id_ in enumerate(made):
            tip_offs.link(tx, BY, id_, "YX-2026-0001", is_origin=n == 0)
        return made

    _, second, third = store.write(arrange)

    def waiting() -> int:
        return store.read(lambda tx: tip_offs.unanswered_on(tx, "YX-2026-0001"))

    assert waiting() == 2
    store.write(lambda tx: tip_offs.answer(tx, BY, second, status="answered", result="查实"))
    store.write(lambda tx: tip_offs.answer(tx, BY, third, status="checking"))
    assert waiting() == 1
    store.write(lambda tx: tip_offs.answer(tx, BY, third, status="refused", result="不属于职责范围"))
    assert waiting() == 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"matter": "x"},
        {"matter": "x", "region": OTHER_PROVINCE},
        {"matter": "x", "unit_id": "u"},
        {"matter": " ", "region": COUNTY},
    ],
)
def test_a_tip_off_that_reaches_nobody(store: Store, country: SmallCountry, wanted: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        store.write(lambda tx: tip_offs.receive(tx, BY, **wanted))  # type: ignore[arg-type]


def test_a_tip_off_is_not_closed_without_a_word(store: Store, country: SmallCountry) -> None:
    made, _ = store.write(lambda tx: tip_offs.receive(tx, BY, matter="x", region=COUNTY))
    for status in ("answered", "done", ""):
        with pytest.raises(Invalid):
            store.write(partial(tip_offs.answer, by=BY, id_=made.id, status=status))
    with pytest.raises(NotFound):
        store.read(lambda tx: tip_offs.by_receipt(tx, "AAAAA-AAAAA"))
