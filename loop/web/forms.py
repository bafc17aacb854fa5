"""A payload model as a form: its fields in their order, with what was typed or is usual, and what is wrong with each.

Nothing of a form is written by hand: labels, words, choices and limits all come from the payload's own declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loop.kernel.errors import Fault
from loop.kernel.labels import Label
from loop.kernel.payloads import hints_of, label_of, words_of
from loop.web.kinds import FLAG, GROUP, LINES, NUMBER, ROWS, Kind, kind_of


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose."""

    value: str
    words: Label
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as a template draws it. `kind` is one of `kinds`; `name` is the dotted name under which it is sent."""

    name: str
    kind: str
    label: Label
    required: bool
    enforced: bool = False
    """Whether the browser itself asks for it: not in a row that may be left empty."""
    value: str = ""
    longest: int | None = None
    least: int | None = None
    most: int | None = None
    options: tuple[Option, ...] = ()
    chooses: str = ""
    wrong: Label | None = None
    rows: tuple[Row, ...] = ()
    fields: tuple[Field, ...] = ()
    may_grow: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list; `about` is what it answers, such as the demand that a measure meets."""

    place: int
    fields: tuple[Field, ...]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a form may draw on: things to choose by their sort, recorded topics, and what is usual today."""

    options: Mapping[str, Sequence[tuple[str, Label]]] = field(default_factory=dict)
    sheet: Mapping[str, Any] = field(default_factory=dict)
    today: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form; `wrong` are faults that belong to no field of it."""

    fields: tuple[Field, ...]
    wrong: tuple[Label, ...] = ()

    @property
    def takes_files(self) -> bool:
        """Whether something in it is chosen among the files of the finding."""
        return any(_takes_files(one) for one in self.fields)


def _takes_files(one: Field) -> bool:
    inner = (*one.fields, *(f for row in one.rows for f in row.fields))
    return one.chooses == "file" or any(map(_takes_files, inner))


class FormMaker:
    """Draws the forms of one reader at one moment."""

    def __init__(self, known: Known, faults: Iterable[Fault] = ()) -> None:
        self._known = known
        self._faults = _by_field(faults)
        self._told: set[str] = set()

    def form(self, model: type[BaseModel], values: Mapping[str, Any] | None, *, more: str = "") -> Form:
        """The form of `model` with these values, or fresh where there are none; the list called `more` gets one more row."""
        fields = tuple(self._fields(model, values, "", more, enforced=True))
        return Form(fields, tuple(text for name, text in self._faults.items() if name not in self._told))

    def _fields(
        self, model: type[BaseModel], values: Mapping[str, Any] | None, prefix: str, more: str, *, enforced: bool
    ) -> Iterable[Field]:
        for name, info in model.model_fields.items():
            key = info.alias or name
            given = values.get(key) if values is not None else self._usual(info)
            yield self._field(name, info, prefix + key, given, fresh=values is None, more=more, enforced=enforced)

    def _usual(self, info: FieldInfo) -> Any:
        """What a field mostly holds, before anybody typed anything."""
        hints = hints_of(info)
        usually = hints.get("usually")
        if usually == "first":
            options = self._known.options.get(str(hints.get("choose") or ""), ())
            return options[0][0] if options else None
        if usually:
            return self._known.now if usually == "now" else self._known.today
        return None if info.is_required() or info.default_factory else info.default

    def _field(
        self, name: str, info: FieldInfo, path: str, given: Any, *, fresh: bool, more: str, enforced: bool
    ) -> Field:
        kind = kind_of(info)
        required = info.is_required() and kind.name != FLAG
        whole: dict[str, Any] = {
            "name": path, "kind": kind.name, "label": label_of(name, info), "required": required,
            "enforced": enforced and required, "wrong": self._wrong(path),
            "longest": kind.longest, "least": kind.least, "most": kind.most,
        }  # fmt: skip
        if kind.name == ROWS and kind.model:
            rows = tuple(self._rows(kind.model, info, path, given, fresh=fresh, more=more == path, enforced=enforced))
            return Field(**whole, rows=rows, may_grow=True)
        if kind.name == GROUP and kind.model:
            held = given if isinstance(given, Mapping) else None
            inner = self._fields(kind.model, held, f"{path}.", more, enforced=enforced and info.is_required())
            # Nothing in a group that may be left out must be filled in.
            return Field(**whole, fields=tuple(one if required else replace(one, required=False) for one in inner))
        if kind.chosen:
            return Field(**whole, **self._choice(info, given))
        return Field(**whole, value=_text(given, kind))

    def _choice(self, info: FieldInfo, given: Any) -> dict[str, Any]:
        sort = str(hints_of(info).get("choose") or "")
        among = list(self._known.options.get(sort, ())) if sort else list(words_of(info).items())
        held = {str(one) for one in given} if isinstance(given, list | tuple) else {str(given)} if given else set()
        strangers = [(one, Label(one, one)) for one in sorted(held - {value for value, _ in among})]
        options = tuple(Option(value, words, value in held) for value, words in [*among, *strangers])
        return {
            "options": options,
            "chooses": sort,
            "value": "" if given is None or isinstance(given, list | tuple) else str(given),
        }

    def _rows(
        self, model: type[BaseModel], info: FieldInfo, path: str, given: Any, *, fresh: bool, more: bool,
        enforced: bool,
    ) -> Iterable[Row]:  # fmt: skip
        asked = self._asked(info)
        entries: list[Any] = list(given) if isinstance(given, list | tuple) else []
        if not entries:
            entries = ([_answering(model, one) for one in asked] if fresh else []) or [None]
        if not fresh:
            entries += _left_out(model, asked, entries)
        if more:
            entries.append(None)
        for place, entry in enumerate(entries):
            values = _row_values(model, entry)
            must = enforced and info.is_required() and place == 0
            fields = tuple(self._fields(model, values, f"{path}.{place}.", "", enforced=must))
            yield Row(place, fields, _about(asked, values, place))

    def _asked(self, info: FieldInfo) -> list[Mapping[str, Any]]:
        """The recorded entries that a list answers one by one; of several topics the first that has any."""
        for topic in str(hints_of(info).get("rows") or "").split():
            part, _, name = topic.partition(".")
            held = self._known.sheet.get(part)
            found = held.get(name) if isinstance(held, Mapping) else None
            if found:
                return [one for one in found if isinstance(one, Mapping)]
        return []

    def _wrong(self, path: str) -> Label | None:
        """What is wrong with a field, or within it where it is drawn as one."""
        found = self._faults.get(path)
        if found is not None:
            self._told.add(path)
        return found


def _by_field(faults: Iterable[Fault]) -> dict[str, Label]:
    """What is wrong with each field, in one sentence after the other."""
    found: dict[str, Label] = {}
    for fault in faults:
        before = found.get(fault.field)
        both = Label(f"{before.zh} {fault.label.zh}", f"{before.en} {fault.label.en}") if before else fault.label
        found[fault.field] = both
    return found


def _number_of(model: type[BaseModel]) -> str:
    """The field of a row by which it names what it answers."""
    return next(
        (n for n, i in model.model_fields.items() if kind_of(i).name == NUMBER and (n == "no" or n.endswith("_no"))), ""
    )


def _answering(model: type[BaseModel], one: Mapping[str, Any]) -> dict[str, Any]:
    """A row that begins with what it answers: its number, and every field that has the same name."""
    numbered = _number_of(model)
    shared = {name: one[name] for name in model.model_fields if name in one and name != "evidence"}
    return shared | ({numbered: one.get("no", one.get("demand_no"))} if numbered else {})


def _left_out(model: type[BaseModel], asked: Sequence[Mapping[str, Any]], entries: Sequence[Any]) -> list[Any]:
    """Rows for what was asked and not answered, so that an empty one does not vanish when the form is shown again."""
    numbered = _number_of(model)
    if not numbered:
        return [None] * max(0, len(asked) - len(entries))
    told = {str(one.get(numbered)) for one in entries if isinstance(one, Mapping)}
    return [_answering(model, one) for one in asked if str(one.get("no", one.get("demand_no"))) not in told]


def _row_values(model: type[BaseModel], entry: Any) -> Mapping[str, Any] | None:
    if isinstance(entry, str):
        return {"text": entry}
    if isinstance(entry, BaseModel):
        return entry.model_dump(mode="json", by_alias=True)
    return entry if isinstance(entry, Mapping) else None


def _about(asked: Sequence[Mapping[str, Any]], values: Mapping[str, Any] | None, place: int) -> str:
    """The words of what a row answers: found by its number, else by its place."""
    number = next((values[n] for n in values if n == "no" or n.endswith("_no")), None) if values else None
    by_number = [one for one in asked if number is not None and str(one.get("no")) == str(number)]
    found = by_number or list(asked[place : place + 1])
    return (
        str(next((found[0][n] for n in ("text", "measure", "task", "name") if found and found[0].get(n)), ""))
        if found
        else ""
    )


def _text(given: Any, kind: Kind) -> str:
    if given is None:
        return ""
    if kind.name == FLAG:
        return "yes" if given is True or given == "yes" else ""
    if kind.name == LINES and isinstance(given, list | tuple):
        return "\n".join(map(str, given))
    return str(given)
