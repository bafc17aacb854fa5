"""A CSV file as numbered records: its encoding, its separator, its heading line, and which lines are no findings."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.ledger.columns import Column, bare, column_named

MOST_RECORDS = 5_000
HEADING_WITHIN = 30
"""The heading line is looked for among the first so many records."""

_TOTAL = re.compile(r"'?(?:合计|小计|总计|共计|累计|total)", re.IGNORECASE)
_NOTE = re.compile(r"(?:注|备注|说明|填表说明|填报单位|填报人|填表人|制表人?|审核人?|联系人|联系电话|报送单位)[:：]")
_SEPARATORS = (",", "\t", ";")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading: its text, and the column it stands for, None where the ledger knows none."""

    text: str
    column: Column | None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the file, the first being number 1; line breaks within a cell do not count."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is no finding, and why."""

    number: int
    why: Label


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: headings, records, what was passed over, and in which encoding it was written."""

    encoding: str
    headings: tuple[Heading, ...]
    records: tuple[Record, ...]
    skipped: tuple[Skipped, ...]


TITLE = Label("标题", "title")
EMPTY = Label("空行", "empty line")
HEADING = Label("表头", "heading")
REPEATED = Label("重复的表头", "heading repeated")
TOTAL = Label("合计行", "total")
NOTE = Label("注释行", "note")


def decoded(raw: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: by its byte order mark, else UTF-8, else GB18030; raises Invalid."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return _decoded(raw, encoding), encoding.removesuffix("-sig")
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _decoded(raw, "gb18030"), "gb18030"


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise Invalid.field(
            "file", "不是 UTF-8 或 GB18030 编码的文本；请另存为 CSV（UTF-8）后再传。",
            "is neither UTF-8 nor GB18030 text; save it as CSV (UTF-8) and send it again.", "encoding",
        ) from None  # fmt: skip


def opened(raw: bytes) -> Sheet:
    """The file as a sheet; raises Invalid where it is no CSV, has no heading line, or is too long."""
    text, encoding = decoded(raw)
    if "\0" in text:
        raise Invalid.field("file", "不是 CSV 文本。", "is no CSV text.", "binary")
    records, at = _laid_out(text)
    headings = tuple(Heading(cell.strip(), column_named(cell)) for cell in records[at].cells)
    found, skipped = [], [Skipped(record.number, TITLE if any(record.cells) else EMPTY) for record in records[:at]]
    skipped.append(Skipped(records[at].number, HEADING))
    for record in records[at + 1 :]:
        why = _no_finding(record, headings)
        if why:
            skipped.append(Skipped(record.number, why))
        else:
            found.append(record)
    return Sheet(encoding, headings, tuple(found), tuple(skipped))


def _laid_out(text: str) -> tuple[list[Record], int]:
    """The records, parted by whichever mark makes a heading line appear, and the place of that line."""
    for separator in _SEPARATORS:
        records = _records(text, separator)
        for place, record in enumerate(records[:HEADING_WITHIN]):
            known = {column.key for cell in record.cells if (column := column_named(cell))}
            if {"title", "description"} & known and {"unit", "unit_id"} & known:
                return records, place
    raise Invalid.field(
        "file", "找不到表头：须有“被督导单位”和“问题描述”（或“标题”）两列。",
        "has no heading line: it needs the columns unit and description (or title).", "heading",
    )  # fmt: skip


def _records(text: str, separator: str) -> list[Record]:
    found: list[Record] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
            if number > MOST_RECORDS:
                zh, en = f"超过 {MOST_RECORDS} 行；请分成几个文件。", f"has more than {MOST_RECORDS} records; split it."
                raise Invalid.field("file", zh, en, "too_long")
            found.append(Record(number, tuple(cells)))
    except csv.Error as wrong:
        where = len(found) + 1
        raise Invalid.field(
            "file", f"第 {where} 行无法读取。", f"record {where} cannot be read: {wrong}", "csv"
        ) from None
    return found


def _no_finding(record: Record, headings: Sequence[Heading]) -> Label | None:
    """Why a record is no finding, or None."""
    filled = [cell.strip() for cell in record.cells if cell.strip()]
    if not filled:
        return EMPTY
    if [_bare(cell) for cell in record.cells if cell.strip()] == [_bare(h.text) for h in headings if h.text]:
        return REPEATED
    if _TOTAL.match(unicodedata.normalize("NFKC", filled[0])) and not _names_unit(record, headings):
        return TOTAL
    if _NOTE.match(filled[0]):
        return NOTE
    if len(filled) == 1 and not _names_unit(record, headings):
        return TITLE
    return None


def _names_unit(record: Record, headings: Sequence[Heading]) -> bool:
    """Whether the record says which unit it is about, so that it cannot be a mere line of the layout."""
    pairs = zip(record.cells, headings, strict=False)
    return any(h.column and h.column.key in ("unit", "unit_id") and cell.strip() for cell, h in pairs)


def _bare(text: str) -> str:
    return bare(text.strip())
