"""Why a letter did not go: each reason is a sentence in Chinese and in English, and both survive in the database."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from datetime import UTC, datetime, timedelta
from string import Formatter
from types import ModuleType

import pytest
from sqlalchemy import bindparam, insert, update

import notifiers.reasons
from loop.engine import reasons
from loop.kernel.labels import Label
from loop.store import deliveries, labels, webhooks
from loop.store.core import table_of
from loop.store.deliveries import Copy, Delivery
from loop.store.instants import text_of
from loop.store.postal import AttemptRow, DeliveryRow
from loop.store.session import Store, Tx
from loop.store.sql import Prepared
from loop.store.webhooks import Webhook

CHINESE = re.compile("[\u4e00-\u9fff]")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CHANNELS = [importlib.import_module(f"notifiers.{one.name}") for one in pkgutil.iter_modules(notifiers.__path__)]
MODULES = [one for one in CHANNELS if "SendFailed" in vars(one)] + [notifiers.reasons, reasons]
SAID: dict[str, Label] = {
    f"{one.__name__}.{name}": said for one in MODULES for name, said in vars(one).items() if isinstance(said, Label)
} | {f"needless.{why}": label for why, label in reasons.NEEDLESS.items()}
"""By name what channels and the outbox may say no with, in both languages."""


# ---- the sentences ---------------------------------------------------------------------------------------------------


def slots(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("name", SAID)
def test_each_reason_is_said_in_chinese_and_in_english_with_the_same_facts(name: str) -> None:
    zh, en = SAID[name]
    assert CHINESE.search(zh)
    assert en
    assert not CHINESE.search(en)
    assert slots(zh) == slots(en)


def test_the_table_of_reasons_holds_those_of_every_channel_and_of_the_outbox() -> None:
    rooms = {name.rpartition(".")[0] for name in SAID}
    assert {"notifiers.reasons", "notifiers.egress", "notifiers.mail", "notifiers.sms", "loop.engine.reasons"} <= rooms
    assert len(set(SAID.values())) >= 25


@pytest.mark.parametrize("module", CHANNELS, ids=lambda module: module.__name__)
def test_a_channel_makes_up_no_reason_beside_the_table(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    inside = [body for body in ast.walk(tree) if isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef)]
    made = [call for body in inside for call in ast.walk(body) if isinstance(call, ast.Call)]
    assert [call.lineno for call in made if isinstance(call.func, ast.Name) and call.func.id == "Label"] == []


def test_each_cause_for_sparing_a_letter_has_its_words() -> None:
    causes = {cause for name, cause in vars(reasons).items() if name.isupper() and isinstance(cause, str)}
    assert set(reasons.NEEDLESS) == causes


# ---- kept in one column ----------------------------------------------------------------------------------------------

HARD = [
    Label("无法连接", "can't be reached"), Label("{", "}"), Label('{"zh": "甲"}', '"\\'), Label("一\n二", "a\x00b"),
    Label("", "only English"), Label("…\u2028😀", "{host} </script>"),
]  # fmt: skip


@pytest.mark.parametrize("label", HARD, ids=range(len(HARD)))
def test_both_languages_come_back_as_they_were_written(label: Label) -> None:
    assert labels.label_of(labels.text_of(label)) == label


def test_no_reason_is_no_text_and_a_text_from_before_reads_in_both_languages() -> None:
    assert (labels.text_of(None), labels.label_of("")) == ("", None)
    old = "mail.test answered 550: {no} such reader"
    assert labels.label_of(old) == Label(old, old)


def test_no_more_than_the_longest_is_kept_of_either_language() -> None:
    kept = labels.label_of(labels.text_of(Label("长" * 10_000, '"' * 10_000)))
    assert kept == Label("长" * labels.LONGEST, '"' * labels.LONGEST)


# ---- in the tables of both databases ---------------------------------------------------------------------------------

DELIVERY = table_of(DeliveryRow)
BEFORE = Prepared(update(DELIVERY).where(DELIVERY.c.id == bindparam("delivery")), columns=("error",))
TRIED_BEFORE = Prepared(insert(table_of(AttemptRow)), columns=("delivery_id", "place", "at", "error"))
WHY = Label("mail.test 返回 550：“查无此人”\x00", 'mail.test answered 550: "nobody"\x00')


def formed(tx: Tx) -> Delivery:
    copy = Copy(key="k", message_id=None, chain="C-1", seq=1, step="urge", person_id="p", channel="mail", due_at=NOW)
    deliveries.add_copies(tx, [copy])
    id_ = deliveries.form(tx, [copy], key="letter", address="a", queued_at=NOW, not_before=NOW)
    (taken,) = deliveries.lease(tx, [id_], NOW, 60)
    return taken


def read(store: Store) -> Delivery:
    found = store.read(lambda tx: deliveries.by_key(tx, "letter"))
    assert found
    return found


def test_a_refusal_is_kept_with_its_try_in_both_languages_until_the_letter_goes(store: Store) -> None:
    one = store.write(formed)
    again = NOW + timedelta(minutes=1)
    store.write(lambda tx: deliveries.fail(tx, one, NOW, WHY, retry_at=again, permanent=False))
    assert read(store).error == WHY
    taken = store.write(lambda tx: deliveries.lease(tx, [one.id], again, 60)[0])
    store.write(lambda tx: deliveries.settle(tx, taken, again, sent_at=again, delivered=True))
    assert read(store).error is None
    tries = store.read(lambda tx: deliveries.tries_of(tx, [one.id]))[one.id]
    assert [tried.error for tried in tries] == [WHY, None]


def test_a_refusal_kept_before_there_was_chinese_is_still_read(store: Store) -> None:
    one = store.write(formed)
    old = "mail.test answered 550: no such reader"

    def before(tx: Tx) -> None:
        tx.run(BEFORE, delivery=one.id, error=old)
        tx.run(TRIED_BEFORE, delivery_id=one.id, place=1, at=text_of(NOW), error=old)

    store.write(before)
    assert read(store).error == Label(old, old)
    assert [t.error for t in store.read(lambda tx: deliveries.tries_of(tx, [one.id]))[one.id]] == [Label(old, old)]


def test_why_a_program_is_told_nothing_more_is_kept_in_both_languages(store: Store) -> None:
    hook = Webhook(id="h", person_id="p", name="n", url="u", created_at=NOW, active=False, off_reason=WHY)
    store.write(lambda tx: webhooks.add(tx, hook))
    kept = store.read(lambda tx: webhooks.get(tx, "h"))
    assert kept == hook
