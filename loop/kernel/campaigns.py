"""What offices hand in about their supervisions: beginning one, changing it, its report; by HTTP and by form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from loop.kernel.payloads import Code, Count, Day, Flag, Line, MaybeText, Name, Payload, field
from loop.kernel.vocabulary import KINDS

Kind = Literal["comprehensive", "special", "routine", "monitoring"]
KIND_WORDS = {kind: label for kind, label in KINDS.items() if kind != "tip_off"}
Team = Annotated[list[Name], Field(max_length=100)]
Matters = Annotated[list[Annotated[Line, Field(max_length=500)]], Field(max_length=100)]


class Period(Payload):
    """From one day to another, both included."""

    from_on: Day = field("自", "from")
    until_on: Day = field("至", "until")


class Asked(Payload):
    """How satisfied those asked were."""

    method: Line = field("调查方式", "method")
    asked: Count = field("调查人数", "asked")
    satisfied: Count = field("满意人数", "satisfied")


class NewSupervision(Payload):
    """A campaign of the caller's office; `lead` and `team` are sign-in names, `office` an id or code."""

    kind: Kind = field("类别", "kind", words=KIND_WORDS)
    title: Line = field("名称", "title")
    office: Code | None = field("督导机构", "office", None, choose="office")
    period: Period = field("期间", "period")
    lead: Name | None = field("组长", "lead", None, choose="person")
    team: Team = field("督导组", "team", [], choose="person")
    matters: Matters = field("督导事项", "matters", [])
    report: MaybeText = field("督导报告", "report", "")
    satisfaction: Asked | None = field("满意度", "satisfaction", None)


class ChangedSupervision(Payload):
    """What changes about a campaign; with its `report` the deadline of the report is met."""

    kind: Kind | None = field("类别", "kind", None, words=KIND_WORDS)
    title: Line | None = field("名称", "title", None)
    period: Period | None = field("期间", "period", None)
    lead: Name | None = field("组长", "lead", None, choose="person")
    team: Team | None = field("督导组", "team", None, choose="person")
    matters: Matters | None = field("督导事项", "matters", None)
    report: MaybeText | None = field("督导报告", "report", None)
    satisfaction: Asked | None = field("满意度", "satisfaction", None)
    active: Flag | None = field("在用", "active", None)


class Plan(Payload):
    """What a form asks of a campaign that is there already; the report is handed in by itself."""

    kind: Kind = field("类别", "kind", words=KIND_WORDS)
    title: Line = field("名称", "title")
    period: Period = field("期间", "period")
    lead: Name | None = field("组长", "lead", None, choose="person")
    team: Team = field("督导组", "team", [], choose="person")
    matters: Matters = field("督导事项", "matters", [])


class Report(Payload):
    """The report on a campaign, and how satisfied those asked were."""

    report: MaybeText = field("督导报告", "report", "")
    satisfaction: Asked | None = field("满意度", "satisfaction", None)
