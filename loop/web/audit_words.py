"""What the entries of the registry's chain say, in words: who did what to whom or what, and what it said before it was sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

from loop.authority import covers
from loop.kernel.labels import Label
from loop.kernel.people import ROLES, Path
from loop.store import names, whereabouts
from loop.store.journal import Entry
from loop.store.session import Tx
from loop.web.page import Visitor
from loop.web.times import Moment

DEEDS: Mapping[str, Label] = {
    "add_office": Label("添加督导机构", "Office added"), "change_office": Label("修改督导机构", "Office changed"),
    "add_region": Label("添加地区", "Region added"), "change_region": Label("修改地区", "Region changed"),
    "add_unit": Label("添加单位", "Unit added"), "change_unit": Label("修改单位", "Unit changed"),
    "add_person": Label("添加人员", "Person added"), "change_person": Label("修改人员", "Person changed"),
    "add_post": Label("给予岗位", "Post given"), "end_post": Label("结束岗位", "Post ended"),
    "set_password": Label("设置密码", "Password set"), "set_substitutes": Label("设置代理人", "Substitutes set"),
    "recuse": Label("登记回避", "Recusal"), "load_calendar": Label("载入工作日历", "Working calendar loaded"),
}  # fmt: skip
FIELDS: Mapping[str, Label] = {
    "name": Label("名称", "name"), "full_name": Label("姓名", "full name"), "language": Label("语言", "language"),
    "active": Label("在用", "in use"), "code": Label("代码", "code"), "doc_prefix": Label("发文字", "word of papers"),
    "until_on": Label("至", "until"), "days": Label("天数", "days"), "region": Label("地区", "region"),
    "kind": Label("类别", "kind"), "department_id": Label("主管部门", "department"),
}  # fmt: skip
TABLES: Mapping[str, Label] = {
    "event": Label("留痕", "entries"), "finding": Label("问题", "findings"), "timer": Label("期限", "deadlines"),
    "part": Label("参与人", "parts"), "document": Label("文书", "papers"), "document_link": Label("文书关联", "links of papers"),
    "attachment": Label("附件", "attachments"), "message": Label("通知", "messages"), "file": Label("文件", "files"),
    "serial": Label("文号", "numbers of papers"), "supervision": Label("督导", "supervisions"),
    "team": Label("督导组成员", "team members"),
    "tip_off": Label("线索", "tip-offs"), "region": Label("地区", "regions"), "office": Label("督导机构", "offices"),
    "unit": Label("单位", "units"), "person": Label("人员", "people"), "post": Label("岗位", "posts"),
    "substitute": Label("代理", "substitutes"), "recusal": Label("回避", "recusals"),
    "calendar_day": Label("日历", "calendar days"), "setting": Label("设置", "settings"),
}  # fmt: skip
YES, NO = Label("是", "yes"), Label("否", "no")
CONSOLE = Label("命令行", "command line")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the registry: what was done, to whom or what, by whom in which role, and its hash."""

    seq: int
    what: Label
    subject: Label
    details: tuple[tuple[Label, Label], ...]
    who: Label
    role: Label
    at: Moment | None
    hash: str


@dataclass(frozen=True, slots=True)
class Called:
    """The names behind the ids of a page of entries."""

    people: Mapping[str, tuple[str, str]]
    regions: Mapping[str, str]
    units: Mapping[str, str]

    def person(self, id_: str) -> str:
        """Full name and sign-in name."""
        name, full_name = self.people.get(id_, (id_, ""))
        return f"{full_name} {name}".strip()


def table_label(name: str) -> Label:
    """What people call a table."""
    return TABLES.get(name, Label(name, name))


def in_words(tx: Tx, visitor: Visitor, entries: Sequence[Entry], within: tuple[Path, ...]) -> tuple[Change, ...]:
    """These entries in words; with `within` only those about a region of these, or about all of them."""
    if within:
        places = whereabouts.places_of(tx, entries)
        entries = [one for one in entries if not places[one.seq] or any(covers(within, p) for p in places[one.seq])]
    rows = [(entry, loads(entry.effects), loads(entry.payload)) for entry in entries]
    called = _called(tx, rows)
    return tuple(_change(entry, effects, payload, called, visitor) for entry, effects, payload in rows)


def _change(
    entry: Entry, effects: Mapping[str, Any], payload: Mapping[str, Any], called: Called, visitor: Visitor
) -> Change:
    subject = _subject(effects, payload, called)
    return Change(
        entry.seq, DEEDS.get(entry.action, Label(entry.action, entry.action)), subject, _details(payload, subject),
        _who(entry, called), ROLES.get(entry.actor_role, Label("", "")), visitor.times.past(entry.at), entry.hash,
    )  # fmt: skip


def _called(tx: Tx, rows: Sequence[tuple[Entry, dict[str, Any], dict[str, Any]]]) -> Called:
    people, regions, units = set[str](), set[str](), set[str]()
    for entry, effects, _ in rows:
        people.add(entry.actor_id)
        people.add(str(effects.get("person_id") or ""))
        for name in ("post", "recusal"):
            row = effects.get(name) or {}
            people.add(str(row.get("person_id") or ""))
            regions.add(str(row.get("region") or ""))
            units.add(str(row.get("unit_id") or ""))
    return Called(names.of_people(tx, people), names.of_regions(tx, regions), names.of_units(tx, units))


def _subject(effects: Mapping[str, Any], payload: Mapping[str, Any], called: Called) -> Label:
    if row := effects.get("person"):
        return _same(f"{row['full_name']} {row['name']}")
    if row := effects.get("post"):
        role, place = (
            ROLES[row["role"]],
            called.regions.get(row["region"] or "") or called.units.get(row["unit_id"] or "", ""),
        )
        who = called.person(row["person_id"])
        return Label(f"{who} · {role.zh} · {place}", f"{who} · {role.en} · {place}")
    if row := effects.get("recusal"):
        return _same(f"{called.person(row['person_id'])} × {called.units.get(row['unit_id'], row['unit_id'])}")
    if id_ := effects.get("person_id"):
        return _same(called.person(str(id_)))
    for name in ("office", "unit", "region"):
        if row := effects.get(name):
            return _same(f"{row['name']} {row.get('code') or ''}".strip())
    return _same(str(payload.get("person") or ""))


def _details(payload: Mapping[str, Any], subject: Label) -> tuple[tuple[Label, Label], ...]:
    """What an entry says beyond its subject; ids say nothing to people."""
    given = ((name, value) for name, value in payload.items() if name in FIELDS and not isinstance(value, dict | list))
    told = ((FIELDS[name], _value(value)) for name, value in given)
    return tuple((name, value) for name, value in told if value.zh not in subject.zh)


def _value(value: Any) -> Label:
    if isinstance(value, bool):
        return YES if value else NO
    return _same("–" if value is None else str(value))


def _who(entry: Entry, called: Called) -> Label:
    known = called.people.get(entry.actor_id)
    return (
        _same(f"{known[1]} {known[0]}")
        if known
        else CONSOLE
        if entry.actor_id == "console"
        else _same(entry.actor_name)
    )


def _same(text: str) -> Label:
    return Label(text, text)
