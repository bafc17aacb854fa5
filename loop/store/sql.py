"""Statements compiled once: SQLAlchemy Core in, the driver's own text and parameter order out, for both databases.

Rows come back as the driver gives them: no result processing, so only text, integers and lists of text are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import BindParameter, ColumnElement, Insert, Select, Table, literal_column
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import DMLState
from sqlalchemy.sql.expression import ClauseElement, Executable
from sqlalchemy.sql.visitors import ExternallyTraversible

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DIALECTS: Mapping[str, Dialect] = {
    SQLITE: SQLiteDialect_pysqlite(paramstyle="qmark"),
    POSTGRESQL: cast("Callable[..., Dialect]", PGDialect_psycopg)(paramstyle="format"),
}

PerDialect = Callable[[str], Executable]


class Bound(NamedTuple):
    """What a driver's cursor takes."""

    text: str
    values: list[Any]


class Process(Protocol):
    """Turns a Python value into what the driver takes."""

    def __call__(self, value: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Order:
    """A finished text with the names of its positions; an expanded list is named by (name, place in the list)."""

    text: str
    names: tuple[str | tuple[str, int], ...]


class _Form:
    """A statement compiled for one dialect."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.compiled = compiled
        self.names = frozenset(compiled.bind_names.values())
        self.constants = _constants(compiled)
        self.processors = cast("Mapping[str, Process]", dict(compiled._bind_processors))  # noqa: SLF001 - no public way
        self.lists = tuple(sorted(compiled.bind_names[bind] for bind in compiled.post_compile_params))
        self.positions = tuple(compiled.positiontup or ())
        self.orders: dict[tuple[int, ...], _Order] = {}

    def bind(self, params: Mapping[str, Any]) -> Bound:
        """The text and values for these parameters; raises KeyError if one is missing."""
        given = {**self.constants, **params} if self.constants else dict(params)
        for name, process in self.processors.items():
            if name in given:
                given[name] = process(given[name])
        if not self.lists:
            return Bound(self.compiled.string, [given[name] for name in self.positions])
        order = self._expanded(tuple(len(given[name]) for name in self.lists), given)
        return Bound(order.text, [given[n] if isinstance(n, str) else given[n[0]][n[1]] for n in order.names])

    def _expanded(self, lengths: tuple[int, ...], given: Mapping[str, Any]) -> _Order:
        order = self.orders.get(lengths)
        if order is None:
            state = self.compiled.construct_expanded_state(dict(given))
            places = {new: (old, k) for old, names in state.parameter_expansion.items() for k, new in enumerate(names)}
            order = _Order(state.statement, tuple(places.get(n, n) for n in state.positiontup or ()))
            self.orders[lengths] = order
        return order


def _constants(compiled: SQLCompiler) -> dict[str, Any]:
    """Values that stand in the statement itself, and the defaults of columns that an insert does not name."""
    values = compiled.params
    found = {name: values[name] for bind, name in compiled.bind_names.items() if not bind.required}
    state = compiled.compile_state
    if isinstance(state, DMLState) and state.isinsert:
        for column in compiled.insert_prefetch:
            if column.default is not None and column.default.is_scalar:
                found[column.key] = column.default.arg  # type: ignore[attr-defined]
    return found


class Prepared:
    """A statement compiled once for each dialect, at its first use.

    `statement` is a Core statement, or a function from the dialect's name to one where the two differ. `columns` names
    the columns of an insert, or those an update sets, as parameters of the same names. A list parameter is declared as
    `bindparam(name, expanding=True)`; a `bindparam` with a value may be left out.
    """

    __slots__ = ("_columns", "_forms", "_statement")

    def __init__(self, statement: Executable | PerDialect, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else tuple(columns)
        self._forms: dict[str, _Form] = {}

    def form(self, dialect: str) -> _Form:
        """The statement compiled for `dialect`."""
        form = self._forms.get(dialect)
        if form is None:
            form = self._forms[dialect] = _Form(self._compiled(dialect))
        return form

    def bind(self, dialect: str, params: Mapping[str, Any]) -> Bound:
        """Text and values; raises KeyError for a missing parameter, TypeError for one the statement does not have."""
        form = self.form(dialect)
        if not params.keys() <= form.names:
            raise TypeError(
                f"the statement has no parameter {sorted(params.keys() - form.names)}: {form.compiled.string}"
            )
        return form.bind(params)

    def bind_many(self, dialect: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[list[Any]]]:
        """One text and the values of every row; lists cannot be expanded here."""
        form = self.form(dialect)
        if form.lists:
            raise TypeError(f"a list parameter cannot run for many rows: {form.compiled.string}")
        return form.compiled.string, [self.bind(dialect, row).values for row in rows]

    def _compiled(self, dialect: str) -> SQLCompiler:
        statement = self._statement if isinstance(self._statement, Executable) else self._statement(dialect)
        if isinstance(statement, Insert) and not statement._returning:  # noqa: SLF001 - asked for nowhere in public
            statement = statement.inline()
        keys = None if self._columns is None else list(self._columns)
        compiled = _with_numbers(cast("ClauseElement", statement)).compile(dialect=DIALECTS[dialect], column_keys=keys)
        return cast("SQLCompiler", compiled)


def _with_numbers(statement: ClauseElement) -> ClauseElement:
    """The statement with its whole numbers written out.

    A number that is bound where a partial index asks for it (`active = 1`) makes SQLite plan the statement anew each time
    it is run, and keeps PostgreSQL's lasting plans from that index.
    """

    def written(element: ExternallyTraversible, **_: Any) -> ExternallyTraversible | None:
        # A LIMIT is a kind of its own, and what has a name may be given another value.
        if not isinstance(element, BindParameter) or type(element) is not BindParameter or not element.unique:
            return None
        return literal_column(str(int(element.value)), element.type) if isinstance(element.value, int) else None

    return cast("ClauseElement", visitors.replacement_traverse(statement, {}, written))


class SelectCache:
    """Compiles selects that are put together at run time, each shape once."""

    LIMIT = 500

    def __init__(self, dialect: str) -> None:
        self._dialect = DIALECTS[dialect]
        self._seen: dict[Any, SQLCompiler] = {}

    def bind(self, statement: Select[Any]) -> Bound:
        """The text and values of `statement`, whose values all stand in it."""
        key = statement._generate_cache_key()  # noqa: SLF001 - what SQLAlchemy's own cache goes by
        compiled = self._seen.get(key.key) if key else None
        if compiled is None:
            compiled = statement.compile(dialect=self._dialect, cache_key=key)
            if key:
                if len(self._seen) >= self.LIMIT:
                    self._seen.clear()
                self._seen[key.key] = compiled
        values = compiled.construct_params(extracted_parameters=key.bindparams if key else None)
        state = compiled.construct_expanded_state(values)
        return Bound(state.statement, [state.parameters[name] for name in state.positiontup or ()])


def upsert(
    table: Table, keys: Sequence[str], *, sets: Sequence[str] | Mapping[str, ColumnElement[Any]] = (),
    returning: Sequence[str] = (),
) -> PerDialect:  # fmt: skip
    """An insert that updates the row already there under `keys`: the columns in `sets` take the new values, or the
    given expressions. With nothing in `sets` the row there is left as it is.
    """

    def build(dialect: str) -> Executable:
        make = sqlite_sql.insert if dialect == SQLITE else postgresql.insert
        statement = cast("sqlite_sql.Insert", make(table))
        if not sets:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        else:
            new = sets if isinstance(sets, Mapping) else {name: statement.excluded[name] for name in sets}
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=dict(new))
        if returning:
            return statement.returning(*(table.c[name] for name in returning))
        return statement

    return build
