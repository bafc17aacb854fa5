"""What was handed in as its readers know it: for the ids in it the names of people, files, papers and acts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from loop.kernel.payloads import hints_of
from loop.web.kinds import kind_of

Called = Mapping[str, Mapping[str, str]]
"""By the sort of thing that is chosen, names by id; what has no name here keeps its id."""
PERSON = "person"


def in_words(values: Mapping[str, Any], model: type[BaseModel], called: Called) -> dict[str, Any]:
    """`values` of a payload of this model, with names in place of ids."""
    found = dict(values)
    for name, info in model.model_fields.items():
        value = found.get(info.alias or name)
        sort, inner = hints_of(info).get("choose"), kind_of(info).model
        if value is None or not (sort or inner):
            continue
        names = called.get(str(sort), {})
        many = value if isinstance(value, list) else [value]
        said = [in_words(one, inner, called) if inner else names.get(one, one) for one in many]
        found[info.alias or name] = said if isinstance(value, list) else said[0]
    return found


def accounts_in(values: Mapping[str, Any], model: type[BaseModel]) -> Iterator[str]:
    """The sign-in names in a payload."""
    for name, info in model.model_fields.items():
        value = values.get(info.alias or name)
        if value is None:
            continue
        if hints_of(info).get("choose") == PERSON:
            yield from value if isinstance(value, list) else [value]
        elif inner := kind_of(info).model:
            for one in value if isinstance(value, list) else [value]:
                yield from accounts_in(one, inner)
