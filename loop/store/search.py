"""Full-text search without a word list: the application cuts texts into single characters and pairs.

SQLite keeps the grams in the FTS5 table `search`, PostgreSQL in an array with a GIN index; both keep the normalised text
in `search_gram.body`, against which every hit is checked again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from sqlalchemy import ColumnElement, Select, and_, bindparam, column, func, select, table, text, true
from sqlalchemy.sql.expression import FromClause

from loop.kernel.errors import Invalid
from loop.store.core import table_of
from loop.store.registry import UnitRow
from loop.store.session import Tx
from loop.store.sql import SQLITE, Prepared, upsert
from loop.store.tables import FindingRow, GramRow

SQLITE_DDL = (
    "CREATE VIRTUAL TABLE search USING fts5(grams, content='', columnsize=0, tokenize='ascii')"
)  # fmt: skip
"""Contentless: an entry is removed by naming its old grams, which `search_gram.body` still tells."""

RARE, COUNTABLE = 5_000, 50_000
"""Up to so many candidates a page, or a count, starts from the grams; beyond, the ledger is walked and each text checked."""

_LONGEST = 100
_FINDING, _UNIT, _GRAM = table_of(FindingRow), table_of(UnitRow), table_of(GramRow)
_FTS = table("search", column("rowid"), column("grams"))
_PUNCTUATION = {code: 0xE000 + code for code in range(0x21, 0x7F) if not chr(code).isalnum()}
"""FTS5 drops ASCII punctuation, so it is moved to the private use area in both databases."""

# ---- texts and grams ---------------------------------------------------------------------------------------------


def normal(words: str) -> str:
    """`words` as they are compared: NFKC, lower case, single spaces, nothing a database cannot hold."""
    kept = "".join(
        c for c in unicodedata.normalize("NFKC", words).lower() if unicodedata.category(c) not in ("Cs", "Cf")
    )
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in kept).split())


def body_of(number: str, title: str, description: str, unit_name: str) -> str:
    """The searchable text of a finding."""
    return "\n".join(normal(part) for part in (number, title, description, unit_name))


def grams(body: str) -> list[str]:
    """The pairs of each word in order, then every character once."""
    words = body.translate(_PUNCTUATION).split()
    return [*(gram for word in words for gram in _pairs(word)), *sorted({c for word in words for c in word})]


def terms(q: str) -> list[str]:
    """The words of a query, normalised; all of them must be found. Raises Invalid for a query that is too long."""
    if len(q) > _LONGEST:
        raise Invalid.field("q", f"最多 {_LONGEST} 个字符。", f"at most {_LONGEST} characters.", "too_long")
    return normal(q).split()


def _pairs(word: str) -> Iterator[str]:
    yield from (first + second for first, second in pairwise(word))


def _wanted(term: str) -> list[str]:
    """The grams that must stand in a text which holds `term`."""
    moved = term.translate(_PUNCTUATION)
    return list(_pairs(moved)) or [moved]


# ---- writing -----------------------------------------------------------------------------------------------------

_BODY = Prepared(select(_GRAM.c.body).where(_GRAM.c.finding_id == bindparam("id")))
_FTS_REMOVE = Prepared(text("INSERT INTO search(search, rowid, grams) VALUES ('delete', :id, :grams)"))
_FTS_ADD = Prepared(text("INSERT INTO search(rowid, grams) VALUES (:id, :grams)"))
_STORE = Prepared(upsert(_GRAM, ["finding_id"], sets=["body", "grams"]))
_OF_UNIT = Prepared(
    select(_FINDING.c.id, _FINDING.c.number, _FINDING.c.title, _FINDING.c.description)
    .where(_FINDING.c.unit_id == bindparam("unit_id"))
)  # fmt: skip


def index(tx: Tx, finding_id: int, body: str) -> None:
    """Make the finding found by `body` (see `body_of`) and no longer by its former text."""
    found = grams(body)
    if tx.dialect == SQLITE:
        _index_fts(tx, finding_id, found)
        tx.run(_STORE, finding_id=finding_id, body=body, grams=None)
    else:
        tx.run(_STORE, finding_id=finding_id, body=body, grams=sorted(set(found)))


def _index_fts(tx: Tx, finding_id: int, found: Iterable[str]) -> None:
    if before := tx.one(_BODY, id=finding_id):
        tx.run(_FTS_REMOVE, id=finding_id, grams=" ".join(grams(before[0])))
    tx.run(_FTS_ADD, id=finding_id, grams=" ".join(found))


def rename_unit(tx: Tx, unit_id: str, name: str) -> None:
    """Make all findings of a unit found by its new name."""
    for id_, number, title, description in tx.all(_OF_UNIT, unit_id=unit_id):
        index(tx, id_, body_of(number, title, description, name))


# ---- asking ------------------------------------------------------------------------------------------------------


def candidates(q: str, dialect: str) -> Select[tuple[int]]:
    """The ids of findings that hold the grams of every word of `q`; raises ValueError where `q` has no word."""
    words = terms(q)
    if not words:
        raise ValueError("an empty query has no candidates")
    if dialect != SQLITE:
        wanted = sorted({gram for word in words for gram in _wanted(word)})
        return select(_GRAM.c.finding_id).where(_GRAM.c.grams.contains(wanted))
    phrases = " AND ".join('"' + " ".join(_wanted(word)) + '"' for word in words)
    return select(_FTS.c.rowid).where(column("search").op("MATCH")(phrases))


def condition(q: str, dialect: str, finding: FromClause = _FINDING) -> ColumnElement[bool]:
    """True for findings that hold every word of `q`, found through the grams; true for all where `q` is empty."""
    words = terms(q)
    if not words:
        return true()
    sure = select(_GRAM.c.finding_id).where(_GRAM.c.finding_id.in_(candidates(q, dialect)), _holds(words))
    return finding.c.id.in_(sure)


def check(q: str, finding: FromClause = _FINDING) -> ColumnElement[bool]:
    """The same truth without the grams, for a reader who walks the ledger in its own order."""
    words = terms(q)
    if not words:
        return true()
    return (
        select(_GRAM.c.finding_id).where(_GRAM.c.finding_id == finding.c.id, _holds(words)).correlate(finding).exists()
    )


def is_rare(tx: Tx, q: str, most: int) -> bool:
    """Whether `q` has at most so many candidates."""
    few = candidates(q, tx.dialect).limit(most + 1).subquery()
    return int(tx.select(select(func.count()).select_from(few))[0][0]) <= most


def _holds(words: Iterable[str]) -> ColumnElement[bool]:
    return and_(*(_GRAM.c.body.contains(word, autoescape=True) for word in words))
