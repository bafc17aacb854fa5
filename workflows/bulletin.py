"""Bulletin 通报: the case is made known to the unit, its party committee and government, and where needed to the public."""

from __future__ import annotations

import re
from typing import Literal

from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Files, Flag, MaybeLine, MaybeText, Payload, Text, field
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, LEADER, OFFICER, PROPOSER, SUPERIOR, SYSTEM, UNIT
from loop.kernel.workflow import Action, State, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.back import BACK, BACK_ON_DROP, dropped, leaving, note_late, returned, set_date
from workflows.fields import Lines
from workflows.guards import asks, files_attached, guard, of_the_office, rectify_by_later
from workflows.interview import CodedReasons, by_ladder, known_reason

STATES = (
    State(
        name=s.BULLETIN_DRAFTED, label=Label("通报拟稿", "bulletin drafted"), waits_for=(CHIEF, DIRECTOR),
        starts=("bulletin_decide",), level=5,
    ),
    State(name=s.BULLETIN_ISSUED, label=Label("已通报", "bulletin issued"), waits_for=(UNIT,), starts=("bulletin_answer",)),
)  # fmt: skip


class BulletinProposal(Payload):
    reasons: CodedReasons = field("通报事由", "reasons")
    facts: Text = field("事实", "facts", example="约谈所定期限届满仍未完成整改")


BULLETIN_KINDS = {
    "criticism": Label("批评通报", "criticism"), "periodic": Label("定期通报", "periodic"),
    "typical_case": Label("典型案例通报", "typical case"), "exposure": Label("公开曝光", "exposure"),
    "praise": Label("表扬通报", "praise"),
}  # fmt: skip


class Bulletin(Payload):
    kind: Literal["criticism", "periodic", "typical_case", "exposure", "praise"] = field(
        "通报类型", "kind", "criticism", words=BULLETIN_KINDS
    )
    text: Text = field("通报内容", "text", example="关于某校整改不力的通报")
    public: Flag = field("向社会公开", "public", False)
    public_text: MaybeText = field("公开文本", "public text", "")
    privacy_checked_by: MaybeLine = field("隐私审查人", "privacy checked by", "")
    recipients: Lines = field("抄送单位", "recipients", [], example=["区人民政府"])
    rectify_by: Day = field("整改期限", "rectify by", example="2026-08-31")


class Answer(Payload):
    text: Text = field("回复内容", "text", example="已按通报要求完成整改，情况如下")
    attachments: Files = field("附件", "attachments", [], choose="file")


class Dropping(Payload):
    reason: Text = field("理由", "reason", example="单位已完成整改")
    rectify_by: Day | None = field("整改期限", "rectify by", None)


# ---- guards --------------------------------------------------------------------------------------------------------

_PRIVATE = re.compile(r"\d{17}[\dXx]|(?<!\d)1[3-9]\d{9}(?!\d)")


def private_details(text: str) -> bool:
    """Whether a text shows an identity-card or mobile number."""
    return bool(_PRIVATE.search(text))


def _who_signs(case: Case) -> bool:
    above = case.finding.of_government or getattr(case.payload, "public", False)
    return case.capacity.name == (DIRECTOR if above else CHIEF)


public_needs_director = guard(
    "public_needs_director",
    "向社会公开或对政府的通报，由督导委主任或副主任签发；其他通报由督导办负责人签发。",
    "A public bulletin, or one against a government, is the director's to sign; any other the chief's.",
    _who_signs,
    reads=True,
)


def _unchecked(case: Case) -> Label | None:
    if not case.payload.public:
        return None
    checker = case.facts.people.get(case.payload.privacy_checked_by)
    if not case.payload.public_text or checker is None:
        return Label("公开通报须有公开文本和隐私审查人。", "A public bulletin needs a public text and a privacy check.")
    if checker.id in case.persons:
        return Label("隐私审查人不能是签发人。", "The issuer may not make the privacy check.")
    if private_details(case.payload.public_text):
        return Label(
            "公开文本含有证件号或手机号，请删去。", "The public text shows an identity or phone number; remove it."
        )
    return None


privacy_checked = asks("privacy_checked", "通过隐私审查", "the privacy check is passed", _unchecked, needs="people")
in_three_systems = guard(
    "director_drops_accountability",
    "不予启动问责由督导委主任或副主任决定；不予约谈、不予通报由督导办负责人决定。",
    "Not to hold to account is the director's decision; not to interview or issue a bulletin the chief's.",
    lambda case: case.capacity.name == (DIRECTOR if case.finding.state in s.ACCOUNTABILITY else CHIEF),
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _proposed(case: Case, draft: Draft) -> None:
    leaving(case, draft)
    by_ladder(case, draft)
    draft.write("bulletin", case.payload.model_dump(mode="json"))


def _issued(case: Case, draft: Draft) -> None:
    draft.put("bulletin", **case.payload.model_dump(mode="json"), issued_on=case.today)
    set_date(case, draft, "bulletin")
    if case.payload.public:
        draft.write("published", [*draft.value("published", []), {"what": "bulletin", "on": case.today}])


def _answered(case: Case, draft: Draft) -> None:
    draft.put("bulletin", answer=case.payload.text)
    note_late(case, draft)
    returned(case, draft)


def _dropped(case: Case, draft: Draft) -> None:
    dropped(case, draft)
    if case.payload.rectify_by:
        draft.write("rectify_by", case.payload.rectify_by)


def _unit_was_told(case: Case) -> bool:
    noticed = case.finding.state in s.ACCOUNTABILITY and bool(case.finding.part("notice"))
    return case.finding.state == s.TALK_NOTICED or noticed


ACTIONS = (
    Action(
        name="propose_bulletin", label=Label("建议通报", "propose a bulletin"), by=(OFFICER, CHIEF, SYSTEM),
        moves=(move(s.RECTIFICATION | s.REVIEW | {s.TALK_PROPOSED, s.TALK_NOTICED}, s.BULLETIN_DRAFTED),),
        payload=BulletinProposal, guards=(known_reason,), effect=_proposed, tell=(CHIEF, LEADER),
    ),
    Action(
        name="issue_bulletin", label=Label("印发通报", "issue the bulletin"), by=(CHIEF, DIRECTOR),
        only=public_needs_director, moves=(move(s.BULLETIN_DRAFTED, s.BULLETIN_ISSUED),), payload=Bulletin,
        guards=(privacy_checked, of_the_office("privacy_checked_by"), rectify_by_later), effect=_issued,
        answers=("bulletin_decide",), papers=(papers.BULLETIN,), tell=(UNIT, DEPARTMENT, SUPERIOR, LEADER),
    ),
    Action(
        name="answer_bulletin", label=Label("回复通报", "answer the bulletin"), by=(UNIT,),
        moves=(move(s.BULLETIN_ISSUED, BACK),), payload=Answer, guards=(files_attached("attachments"),),
        effect=_answered, answers=("bulletin_answer",), papers=(papers.BULLETIN_ANSWER,), tell=(OFFICER,),
    ),
    Action(
        name="drop", label=Label("不予启动", "drop"), by=(CHIEF, DIRECTOR), only=in_three_systems,
        moves=(
            move(
                {s.TALK_PROPOSED, s.TALK_NOTICED, s.BULLETIN_DRAFTED, s.REFERRED, s.INVESTIGATING, s.DECIDING},
                BACK_ON_DROP,
            ),
        ),
        payload=Dropping, guards=(rectify_by_later,), effect=_dropped,
        papers=(
            papers.NO_INTERVIEW.only(lambda case: case.finding.state in s.INTERVIEW),
            papers.NO_BULLETIN.only(lambda case: case.finding.state in s.BULLETIN),
            papers.NO_ACCOUNTABILITY.only(lambda case: case.finding.state in s.ACCOUNTABILITY),
        ),
        tell=(PROPOSER, Tell(UNIT, _unit_was_told)),
    ),
)  # fmt: skip
