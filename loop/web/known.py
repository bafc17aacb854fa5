"""What a form may draw on: colleagues, files, papers and acts of one finding, read only where its model asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from json import loads
from typing import Any

from pydantic import BaseModel

from loop.authority import regions_of, units_of
from loop.kernel.errors import Invalid
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import hints_of
from loop.kernel.people import OFFICE_ROLES, ROLES, SUPERIOR, Path
from loop.kernel.vocabulary import ACTS
from loop.store import evidence, names, offices, papers, people, places, sight, supervisions
from loop.store.session import Tx
from loop.web.forms import Known
from loop.web.kinds import kind_of
from loop.web.page import Visitor

Options = list[tuple[str, Label]]
MOST = 200
"""No list of things to choose is longer."""
ALIKE = 6


def known_for(tx: Tx, visitor: Visitor, finding: Finding, model: type[BaseModel]) -> Known:
    """What the form of `model` on this finding may offer."""
    ways: dict[str, Callable[[], Options]] = {
        "person": lambda: colleagues(tx, visitor, finding.place.office_region),
        "file": lambda: _files(tx, visitor, finding),
        "paper": lambda: _papers(tx, finding),
        "act": lambda: _acts(finding),
        "instruction": lambda: _unanswered(finding, "instructions", "{no}. {text}（{by}）"),
        "transfer": lambda: _unanswered(finding, "transfers", "{no}. {organ}：{clue}"),
    }
    options = {sort: ways[sort]() for sort in sorted(set(_chosen(model))) if sort in ways}
    seen = sight.sheet_for(tx, finding, sight.sight_of(visitor.actor, finding))
    return Known(options=options, sheet=seen, today=visitor.today.isoformat(), now=_now(visitor))


def known_for_new(tx: Tx, visitor: Visitor) -> Known:
    """What the form of a finding that is not there yet may offer."""
    at = {post.region for post in visitor.actor.posts if post.role in OFFICE_ROLES and post.region}
    mine = offices.ids_within(tx, at) if at else []
    held = supervisions.supervisions(tx, offices=mine, active=True, limit=MOST).items
    campaigns = [(one.id, Label(one.title, one.title)) for one in held]
    return Known(options={"supervision": campaigns}, today=visitor.today.isoformat(), now=_now(visitor))


def recorded(finding: Finding, model: type[BaseModel]) -> Mapping[str, Any] | None:
    """What a form that changes what is recorded begins with; None for a form that begins empty."""
    if not changes_what_is_recorded(model):
        return None
    return {name: getattr(finding, name, finding.sheet.get(name)) for name in model.model_fields}


def changed(finding: Finding, model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these values those that are not recorded already."""
    held = recorded(finding, model) or {}
    return {name: value for name, value in values.items() if _bare(value) != _bare(held.get(name))}


def _bare(value: Any) -> Any:
    """A value without what says nothing, so that what was typed compares with what is recorded."""
    if isinstance(value, Mapping):
        return {name: inner for name, one in value.items() if (inner := _bare(one)) is not None}
    if isinstance(value, list | tuple):
        return [_bare(one) for one in value] or None
    return None if value in ("", False) else value


def changes_what_is_recorded(model: type[BaseModel]) -> bool:
    """Whether the payload says so of itself."""
    extra = model.model_config.get("json_schema_extra")
    return isinstance(extra, dict) and extra.get("changes") == "finding"


def with_units(tx: Tx, visitor: Visitor, model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the id in place of the name that was typed for a unit; raises Invalid, with the names that are alike,
    where that is not the whole name of just one.
    """
    found = dict(values)
    for name, info in model.model_fields.items():
        typed = str(found.get(name) or "").strip()
        if hints_of(info).get("choose") == "unit" and typed:
            found[name] = unit_called(tx, visitor, name, typed)
    return found


def units_like(tx: Tx, visitor: Visitor, typed: str, limit: int = 20) -> list[str]:
    """The names of units in the visitor's regions in which these characters stand."""
    page = places.units(
        tx, q=typed[:100], active=True, within=regions_of(visitor.actor), own=units_of(visitor.actor), limit=limit
    )
    return [unit.name for unit in page.items]


def unit_called(tx: Tx, visitor: Visitor, name: str, typed: str) -> str:
    """The id of the one unit of this name that the visitor may look at; raises Invalid, with the names that are alike."""
    page = places.units(
        tx, q=typed[:100], active=True, within=regions_of(visitor.actor), own=units_of(visitor.actor), limit=MOST
    )
    same = [unit for unit in page.items if unit.name == typed]
    if len(same) == 1:
        return same[0].id
    alike = same or list(page.items)
    if not alike:
        raise Invalid.field(name, "没有这个单位，请核对名称。", "there is no such unit; check its name.", "unknown")
    listed = "、".join(f"{unit.name}" for unit in alike[:ALIKE])
    raise Invalid.field(
        name, f"请写出单位全称，名称相近的有：{listed}。", f"needs the whole name; alike are: {listed}.", "ambiguous"
    )


def _chosen(model: type[BaseModel]) -> Iterator[str]:
    """Every sort of thing that is chosen somewhere in a payload."""
    for info in model.model_fields.values():
        if sort := hints_of(info).get("choose"):
            yield str(sort)
        if inner := kind_of(info).model:
            yield from _chosen(inner)


def colleagues(tx: Tx, visitor: Visitor, region: Path) -> Options:
    """Everybody of the office, with their roles, by name."""
    held = people.holders(tx, office_region=region, superior_region=None, today=visitor.today)
    roles: dict[str, list[str]] = {}
    for role, persons in held.items():
        for id_ in persons if role != SUPERIOR else ():
            roles.setdefault(id_, []).append(role)
    called = names.of_people(tx, roles)
    options = [(called[id_][0], _person(called[id_][1], roles[id_])) for id_ in roles if id_ in called]
    return sorted(options, key=lambda option: option[1].zh)[:MOST]


def _person(full_name: str, roles: list[str]) -> Label:
    zh, en = ("、".join(ROLES[role].zh for role in roles), ", ".join(ROLES[role].en for role in roles))
    return Label(f"{full_name}（{zh}）", f"{full_name} ({en})")


def _files(tx: Tx, visitor: Visitor, finding: Finding) -> Options:
    shown = sight.open_steps(tx, finding.number, sight.sight_of(visitor.actor, finding))
    held = evidence.of_finding(tx, finding.number)
    return [(one.id, Label(one.name, one.name)) for one in held if shown is None or one.seq in shown][-MOST:]


def _papers(tx: Tx, finding: Finding) -> Options:
    held = (paper for paper, _ in papers.of_finding(tx, finding.number) if paper.number and not paper.internal)
    return [(one.id, _numbered(loads(one.content)["title"], one.number)) for one in held]


def _numbered(title: Mapping[str, str], number: str) -> Label:
    return Label(f"{title['zh']} {number}", f"{title['en']} {number}")


def _acts(finding: Finding) -> Options:
    """The acts that can be disputed."""
    acts = finding.sheet.get("acts") or ()
    return [(act["key"], ACTS.get(act["kind"], Label(act["kind"], act["kind"]))) for act in acts]


def _unanswered(finding: Finding, topic: str, form: str) -> Options:
    """What was asked or sent and has no answer yet, the oldest first, in its own words."""
    waiting = [one for one in finding.sheet.get(topic) or () if not one.get("answer")]
    said = [(str(one["no"]), form.format_map(one)) for one in waiting]
    return [(no, Label(words, words)) for no, words in said]


def _now(visitor: Visitor) -> str:
    return visitor.now.astimezone(visitor.service.calendar.zone).replace(tzinfo=None).isoformat(timespec="minutes")
