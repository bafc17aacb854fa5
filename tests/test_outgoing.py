"""What leaves the house: papers with their numbers and register, messages with their lease, inbox and signature."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loop.store import mailbox, papers
from loop.store.mailbox import Message
from loop.store.papers import Document, Link
from loop.store.session import Duplicate, Store, Tx

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

# ---- papers ------------------------------------------------------------------------------------------------------


def paper(id_: str, **more: Any) -> Document:
    values: dict[str, Any] = {
        "id": id_,
        "kind": "opinion",
        "office_id": "o",
        "issued_at": NOW,
        "content": "{}",
        "digest": "d",
    }
    return Document(**values | more)


def test_papers_and_what_they_are_about(store: Store) -> None:
    batch = paper("d1", year=2026, serial=1, number="云教督〔2026〕1号")
    received = paper("d2", kind="answer", internal=True, issued_at=NOW + HOUR)

    def work(tx: Tx) -> None:
        papers.insert(tx, batch)
        papers.insert(tx, received)
        for document, chain, seq in (("d1", "C-1", 3), ("d1", "C-2", 9), ("d2", "C-1", 2)):
            papers.link(tx, document, chain, seq)

    store.write(work)
    assert store.read(lambda tx: papers.of_finding(tx, "C-1")) == [(received, 2), (batch, 3)]
    assert store.read(lambda tx: papers.get(tx, "d1")) == (batch, (Link("C-1", 3), Link("C-2", 9)))
    assert store.read(lambda tx: papers.get(tx, "d9")) is None
    with pytest.raises(Duplicate):
        store.write(lambda tx: papers.insert(tx, paper("d3", year=2026, serial=1)))


def test_the_register_lists_numbered_papers_newest_first(store: Store) -> None:
    numbered = [paper(f"d{k}", year=2026, serial=k, number=str(k), issued_at=NOW + k // 2 * HOUR) for k in range(1, 8)]
    elsewhere = paper("e", office_id="p", year=2026, serial=1, number="1", issued_at=NOW)
    for document in (*numbered, elsewhere, paper("unnumbered")):
        store.write(lambda tx, d=document: papers.insert(tx, d))  # type: ignore[misc]
    first = store.read(lambda tx: papers.register(tx, ["o"], limit=4))
    rest = store.read(lambda tx: papers.register(tx, ["o"], limit=9, after=(first[-1].issued_at, first[-1].id)))
    assert [*first, *rest] == sorted(numbered, key=lambda d: (d.issued_at, d.id), reverse=True)
    assert store.read(lambda tx: papers.register(tx, None, limit=1, after=(NOW, "f"))) == [elsewhere]
    assert store.read(lambda tx: papers.register(tx, [], limit=9)) == []


# ---- messages ----------------------------------------------------------------------------------------------------


def message(key: str, **more: Any) -> Message:
    values: dict[str, Any] = {
        "key": key, "chain": "C-1", "seq": 1, "person_id": "p", "step": "urge", "channel": "inbox", "content": "{}",
        "should_at": NOW, "queued_at": NOW, "not_before": NOW,
    }  # fmt: skip
    return Message(**values | more)


def claimed(store: Store, at: datetime, limit: int = 20) -> list[tuple[str, int]]:
    return [(m.key, m.attempts) for m in store.write(lambda tx: mailbox.claim(tx, at, 60, limit))]


def test_a_claimed_message_comes_back_only_when_its_lease_ends(store: Store) -> None:
    store.write(lambda tx: mailbox.post(tx, [message(k) for k in "abc"] + [message("later", not_before=NOW + HOUR)]))
    store.write(lambda tx: mailbox.post(tx, [message("a", person_id="other")]))
    assert store.read(mailbox.owed_count) == 4
    assert claimed(store, NOW, 2) == [("a", 1), ("b", 1)]
    assert claimed(store, NOW) == [("c", 1)]
    assert claimed(store, NOW + timedelta(seconds=59)) == []
    assert claimed(store, NOW + timedelta(seconds=60)) == [("a", 2), ("b", 2), ("c", 2)]


def test_what_is_sent_or_set_aside_is_not_claimed_again(store: Store) -> None:
    store.write(lambda tx: mailbox.post(tx, [message(k) for k in "abc"]))
    first, second, third = store.write(lambda tx: mailbox.claim(tx, NOW, 60))
    store.write(lambda tx: mailbox.settle(tx, [first.id], at=NOW))
    store.write(lambda tx: mailbox.fail(tx, second.id, "refused", retry_at=None))
    store.write(lambda tx: mailbox.fail(tx, third.id, "timeout", retry_at=NOW + HOUR))
    assert store.read(mailbox.owed_count) == 1
    assert claimed(store, NOW + HOUR - timedelta(seconds=1)) == []
    assert claimed(store, NOW + HOUR) == [("c", 2)]
    inbox = {m.key: m for m in store.read(lambda tx: mailbox.inbox(tx, "p", limit=9))}
    assert (inbox["a"].sent_at, inbox["a"].delivered_at, inbox["b"].dead, inbox["b"].error) == (
        NOW,
        NOW,
        True,
        "refused",
    )


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_who_claim_at_once_share_nothing_and_wait_for_nobody(store: Store) -> None:
    store.write(lambda tx: mailbox.post(tx, [message(f"{k:02}") for k in range(10)]))

    def work(tx: Tx) -> tuple[list[Message], list[Message]]:
        mine = mailbox.claim(tx, NOW, 60, 6)
        return mine, store.submit(lambda other: mailbox.claim(other, NOW, 60, 6)).result(30)

    mine, theirs = store.write(work)
    assert (len(mine), len(theirs)) == (6, 4)
    assert not {m.id for m in mine} & {m.id for m in theirs}


def test_the_inbox_is_read_and_signed_for_by_its_person_alone(store: Store) -> None:
    store.write(lambda tx: mailbox.post(tx, [message(k) for k in "abc"] + [message("mail", channel="mail")]))
    third, second, first = store.read(lambda tx: mailbox.inbox(tx, "p", limit=9))
    assert store.read(lambda tx: mailbox.inbox(tx, "p", limit=1, after=third.id)) == [second]
    assert store.write(lambda tx: mailbox.mark_seen(tx, first.chain, "somebody else", NOW)) == 0
    assert store.write(lambda tx: mailbox.acknowledge(tx, first.id, "p", NOW + HOUR))
    assert store.write(lambda tx: mailbox.acknowledge(tx, first.id, "p", NOW + 2 * HOUR))
    assert store.write(lambda tx: mailbox.acknowledge(tx, second.id, "p", NOW + HOUR))
    read = {m.key: (m.read_at, m.signed_at) for m in store.read(lambda tx: mailbox.inbox(tx, "p", limit=9))}
    assert read == {"a": (NOW + HOUR, NOW + HOUR), "b": (NOW + HOUR, NOW + HOUR), "c": (None, None)}
    assert [m.key for m in store.read(lambda tx: mailbox.inbox(tx, "p", limit=9, unread=True))] == ["c"]
    assert store.write(lambda tx: mailbox.mark_seen(tx, third.chain, "p", NOW + 3 * HOUR)) == 2
    assert store.read(lambda tx: mailbox.inbox(tx, "p", limit=9, unread=True)) == []
