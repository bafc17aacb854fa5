"""The columns of the ledger, each declared once for writing and for reading; and how a cell is kept from being a formula."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loop.kernel.calendar import local_day
from loop.kernel.decide import Book, label_of_state
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.vocabulary import CATEGORIES, KINDS, LIGHTS, SEVERITIES
from loop.store.ledger import LedgerRow

YES_NO = {True: Label("是", "yes"), False: Label("否", "no")}
LIST_MARK = "、"
SAME = ("同上", "〃", "″", '"')
"""Cells that mean: as in the line above."""
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Line:
    """One finding about to be written: its row, what its sheet adds, and in which language."""

    row: LedgerRow
    sheet: Mapping[str, Any]
    book: Book
    language: str

    def say(self, label: Label) -> str:
        """The words in the reader's language."""
        return label.in_(self.language)

    def day(self, at: datetime) -> str:
        """The local day of an instant, empty for never."""
        return "" if at == NEVER else local_day(at, self.book.calendar).isoformat()

    def of(self, topic: str, name: str = "") -> str:
        """A text of the sheet, empty where there is none."""
        value = self.sheet.get(topic)
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
        return str(value) if value else ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `show` writes it; `reads` says how a cell is understood and for which field of `take_over`.

    `reads` is one of text, day, due, status, flag, list, kinds, severities, categories, unit, or empty for a column
    that is only written. `aliases` are other headings that people use for it.
    """

    key: str
    heading: Label
    show: Callable[[Line], str]
    reads: str = ""
    aliases: tuple[str, ...] = ()


def _state(line: Line) -> str:
    return line.say(label_of_state(line.book, "course", line.row.state))


def _flag(name: str) -> Callable[[Line], str]:
    return lambda line: line.say(YES_NO[bool(getattr(line.row, name))])


def _due_rule(line: Line) -> str:
    rule = line.book.workflow.timers.get(line.row.due_rule)
    return line.say(rule.label) if rule else ""


def _waits_for(line: Line) -> str:
    known = {**ROLES, **CAPACITIES}
    return LIST_MARK.join(line.say(known[who]) for who in line.row.waits_for.split(",") if who in known)


def _cooperating(line: Line) -> str:
    return LIST_MARK.join(str(unit) for unit in line.sheet.get("cooperating_units") or ())


COLUMNS = (
    Column("number", Label("编号", "number"), lambda line: line.row.number, "text", ("序号", "问题编号", "台账编号", "no")),
    Column("title", Label("标题", "title"), lambda line: line.row.title, "text", ("问题标题", "问题名称", "事项")),
    Column(
        "description", Label("问题描述", "description"), lambda line: line.row.description, "text",
        ("问题", "存在问题", "存在的问题", "问题内容", "具体问题", "发现问题", "发现的问题", "主要问题", "问题表现", "problem"),
    ),
    Column(
        "unit", Label("被督导单位", "unit"), lambda line: line.row.unit.name, "unit",
        ("单位", "单位名称", "学校", "学校名称", "被督导学校", "整改单位", "受检单位", "被检查单位", "school"),
    ),
    Column("unit_id", Label("单位编号", "unit id"), lambda line: line.row.unit.id, "text"),
    Column(
        "region", Label("地区", "region"), lambda line: line.row.region.name,
        aliases=("县(市、区)", "区县", "县区", "所在地区", "县(区)", "区(县)"),
    ),
    Column("office", Label("督导机构", "office"), lambda line: line.row.office.name),
    Column(
        "category", Label("类别", "category"), lambda line: line.say(CATEGORIES[line.row.category]), "categories",
        ("问题类别", "问题类型", "类型", "所属类别"),
    ),
    Column(
        "kind", Label("督导类别", "kind"), lambda line: line.say(KINDS[line.row.kind]), "kinds",
        ("督导类型", "督导方式", "kind of supervision"),
    ),
    Column(
        "severity", Label("严重程度", "severity"), lambda line: line.say(SEVERITIES[line.row.severity]), "severities",
        ("问题等级", "程度", "严重性"),
    ),
    Column(
        "state", Label("状态", "state"), _state, "status",
        ("整改状态", "销号状态", "整改情况", "完成情况", "整改进展", "是否销号", "是否完成", "是否整改到位", "整改结果", "status"),
    ),
    Column(
        "dispute", Label("争议", "dispute"),
        lambda line: line.say(label_of_state(line.book, "dispute", line.row.dispute)),
    ),
    Column("level", Label("督办级别", "level"), lambda line: str(line.row.level)),
    Column("source", Label("来源", "source"), lambda line: line.of("source"), "text", ("问题来源",)),
    Column(
        "letter_no", Label("文号", "letter number"), lambda line: line.of("opinion", "letter_no"), "text",
        ("发文字号", "意见书编号", "整改通知书编号", "通知书编号", "文书编号"),
    ),
    Column(
        "found_on", Label("发现日期", "found on"), lambda line: line.of("found_on"), "day",
        ("发现时间", "检查日期", "检查时间", "督导日期", "督导时间"),
    ),
    Column(
        "received_on", Label("签收日期", "received on"), lambda line: line.of("opinion", "received_on"), "day",
        ("下达日期", "下达时间", "下发日期", "下发时间", "收到日期", "交办日期", "交办时间", "issued on"),
    ),
    Column(
        "rectify_by", Label("整改期限", "rectify by"), lambda line: line.of("rectify_by"), "due",
        ("整改时限", "完成时限", "完成期限", "时限", "期限", "整改完成时限", "计划完成时间", "完成时间", "限期", "deadline"),
    ),
    Column(
        "written_off_on", Label("销号日期", "written off on"), lambda line: line.day(line.row.written_off_at), "day",
        ("销号时间", "完成日期", "实际完成时间", "办结日期"),
    ),
    Column("opened_on", Label("登记日期", "opened on"), lambda line: line.day(line.row.opened_at)),
    Column("due_on", Label("当前到期日", "due on"), lambda line: line.day(line.row.due_at)),
    Column("due_rule", Label("当前期限事项", "deadline of"), _due_rule),
    Column("waits_for", Label("等待", "waits for"), _waits_for),
    Column("overdue", Label("逾期", "overdue"), _flag("overdue"), aliases=("是否逾期",)),
    Column("light", Label("灯", "light"), lambda line: line.say(LIGHTS[line.row.light])),
    Column(
        "responsible_person", Label("责任人", "responsible person"), lambda line: line.row.responsible_person, "text",
        ("整改责任人", "责任人员", "负责人"),
    ),
    Column(
        "cooperating_units", Label("配合单位", "cooperating units"), _cooperating, "list", ("协同单位", "协办单位"),
    ),
    Column("long_term", Label("长期整改", "long-term"), _flag("long_term"), "flag", ("是否长期整改",)),
    Column("danger_to_life", Label("危及生命安全", "danger to life"), _flag("danger_to_life"), "flag"),
)  # fmt: skip


def _folded(heading: str) -> str:
    """A heading as it is compared: half-width, lower case, without blanks and marks."""
    return re.sub(r"[\s_:*]+", "", unicodedata.normalize("NFKC", heading).lower()).removeprefix("'")


BY_HEADING: Mapping[str, Column] = {
    _folded(name): column for column in COLUMNS for name in (column.key, *column.heading, *column.aliases)
}


def column_named(heading: str) -> Column | None:
    """The column that people call `heading`, in either language."""
    return BY_HEADING.get(_folded(heading))


def headings(language: str) -> list[str]:
    """The first line of a ledger."""
    return [column.heading.in_(language) for column in COLUMNS]


def cells(line: Line) -> list[str]:
    """One finding as safe cells, in the order of the columns."""
    return [safe(column.show(line)) for column in COLUMNS]


def safe(text: str) -> str:
    """`text` as a spreadsheet shows it and never computes it: an apostrophe goes before whatever could begin a formula or
    mean "as above", and before an apostrophe, so that `bare` gives back the very text.
    """
    return f"'{text}" if text.startswith((*_STARTS_FORMULA, "'")) or text in SAME else text


def bare(cell: str) -> str:
    """A cell as its writer meant it, without the apostrophe that keeps it text."""
    return cell.removeprefix("'")
