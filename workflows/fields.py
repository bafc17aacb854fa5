"""The fields of a finding as handed in by `open`, `amend` and `take_over`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from loop.kernel.case import Case, Draft
from loop.kernel.payloads import Code, Day, Flag, Items, Line, MaybeLine, MaybeText, Payload, field
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES

Kind = Literal["comprehensive", "special", "routine", "monitoring", "tip_off"]
Severity = Literal["normal", "major", "grave"]
Category = Literal[
    "funding", "staffing", "pay", "facilities", "campus_safety", "health_canteen", "double_reduction",
    "five_managements", "off_campus_training", "irregular_running", "enrolment", "curriculum", "preschool", "ethics",
    "dropout_aid", "special_education", "party_moral", "governance",
]  # fmt: skip


class Basis(Payload):
    """A law or rule that the finding rests on."""

    title: Line = field("名称", "title", example="中小学幼儿园安全管理办法")
    article: MaybeLine = field("条款", "article", "", example="第二十条")


Bases = Annotated[list[Basis], Field(max_length=50)]
Lines = Annotated[list[Line], Field(max_length=50)]


class NewFinding(Payload):
    """What an inspector records about a problem (workflow.md section 7)."""

    title: Line = field("标题", "title", example="教学楼消防通道堵塞")
    unit: Code = field("被督导单位", "unit", example="S-0001", choose="unit")
    category: Category = field("类别", "category", example="campus_safety", words=CATEGORIES)
    severity: Severity = field("严重程度", "severity", "normal", example="major", words=SEVERITIES)
    kind: Kind = field("督导类别", "kind of supervision", "routine", words=KINDS)
    supervision: Code | None = field("所属督导", "supervision", None, choose="supervision")
    description: MaybeText = field("问题描述", "description", "", example="二层东侧疏散通道堆放课桌椅")
    facts: Items | None = field("事实", "facts", None, example=["二层东侧疏散通道堆放课桌椅"])
    legal_basis: Bases = field(
        "依据", "legal basis", [], example=[{"title": "中小学幼儿园安全管理办法", "article": "第二十条"}]
    )
    source: MaybeLine = field("来源", "source", "")
    found_on: Day | None = field("发现日期", "found on", None, example="2026-03-02", usually="today")
    responsible_person: MaybeLine = field("责任人", "responsible person", "")
    cooperating_units: Lines = field("配合单位", "cooperating units", [])
    danger_to_life: Flag = field("危及生命安全", "danger to life", False)
    long_term: Flag = field("长期整改", "long-term", False)
    positive: Flag = field("正面事项", "something to commend", False)


class ChangedFinding(Payload):
    """The fields to change while the finding is a draft; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"changes": "finding"})

    title: Line | None = field("标题", "title", None, example="教学楼二层消防通道堵塞")
    category: Category | None = field("类别", "category", None, words=CATEGORIES)
    severity: Severity | None = field("严重程度", "severity", None, words=SEVERITIES)
    kind: Kind | None = field("督导类别", "kind of supervision", None, words=KINDS)
    description: MaybeText | None = field("问题描述", "description", None)
    facts: Items | None = field("事实", "facts", None, example=["二层东侧疏散通道堆放课桌椅，宽度不足一米"])
    legal_basis: Bases | None = field("依据", "legal basis", None)
    source: MaybeLine | None = field("来源", "source", None)
    found_on: Day | None = field("发现日期", "found on", None)
    responsible_person: MaybeLine | None = field("责任人", "responsible person", None)
    cooperating_units: Lines | None = field("配合单位", "cooperating units", None)
    danger_to_life: Flag | None = field("危及生命安全", "danger to life", None)
    long_term: Flag | None = field("长期整改", "long-term", None)
    positive: Flag | None = field("正面事项", "something to commend", None)


COLUMNS = (
    "title", "category", "severity", "kind", "description", "responsible_person", "danger_to_life", "long_term", "positive",
)  # fmt: skip
TOPICS = ("facts", "legal_basis", "source", "found_on", "cooperating_units")


def record(case: Case, draft: Draft, values: dict[str, Any]) -> None:
    """Write the given fields to the draft: columns as columns, the rest to the sheet."""
    draft.set(**{name: values[name] for name in COLUMNS if name in values})
    for name in TOPICS:
        if name in values:
            draft.write(name, values[name])


def found_on_or_today(case: Case) -> str:
    """The day the problem was found, today where none is given."""
    return str((case.payload.found_on or case.today).isoformat())
