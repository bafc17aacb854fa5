"""Publication 公开: a paper is shown to the public after a check for private details, and taken down again."""

from __future__ import annotations

from loop.kernel import facts
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import Code, Payload, Text, field
from loop.kernel.people import CHIEF, DIRECTOR, UNIT
from loop.kernel.workflow import Action
from workflows import papers
from workflows import stages as s
from workflows.anytime import anywhere
from workflows.bulletin import private_details
from workflows.guards import asks, guard


class Publication(Payload):
    document: Code = field("文书", "document", example="LOOP-2026-0001.9.opinion_letter", choose="paper")
    public_text: Text = field("公开文本", "public text", example="关于某校消防通道问题的督导意见")


class Removal(Payload):
    document: Code | None = field("文书", "document", None, choose="paper")
    reason: Text = field("理由", "reason", example="文书已撤销")


# ---- guards --------------------------------------------------------------------------------------------------------


def _strange_document(case: Case) -> Label | None:
    name = case.payload.document
    if name is None or name in case.facts.documents:
        return None
    return Label("此问题没有这份文书。", "This finding has no such document.")


own_document = asks(
    "own_document", "文书属于此问题", "the document is of this finding", _strange_document, needs="documents"
)
text_is_clean = guard(
    "privacy_checked",
    "公开文本含有证件号或手机号，请删去。",
    "The public text shows an identity or phone number; remove it.",
    lambda case: not private_details(case.payload.public_text),
    reads=True,
)


COMMENDATION = frozenset({"praise", "public_notice"})


def _kinds_shown(case: Case) -> set[str]:
    """The kinds of paper that are to be shown or taken down: one document, or whatever is published."""
    name = getattr(case.payload, "document", None)
    if name is not None:
        return {case.facts.documents.get(name, "")}
    return {p["what"] for p in case.finding.sheet.get("published") or () if not p.get("down")}


def _signer(case: Case) -> bool:
    kinds = _kinds_shown(case)
    if case.action.name == "take_down" and kinds <= COMMENDATION and case.finding.relapse_count:
        return True
    weighty = kinds & {"bulletin", *COMMENDATION}
    return case.capacity.name == (DIRECTOR if weighty else CHIEF)


weighty_needs_director = guard(
    "bulletin_needs_director",
    "通报和表扬由督导委主任或副主任决定公开或撤下，其他文书由督导办负责人决定。",
    "A bulletin or commendation is the director's to publish or take down; any other paper the chief's.",
    _signer,
    reads=True,
    needs=facts.DOCUMENTS,
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _published(case: Case, draft: Draft) -> None:
    entry = {"what": case.facts.documents[case.payload.document], "document": case.payload.document, "on": case.today}
    draft.write("published", [*draft.value("published", []), entry])
    if entry["what"] == "opinion_letter":
        draft.stop("publish_due")


def _taken_down(case: Case, draft: Draft) -> None:
    name = case.payload.document
    shown = [
        {**p, "down": case.today} if name in (None, p.get("document")) else p for p in draft.value("published", [])
    ]
    draft.write("published", shown)
    if all(p.get("down") for p in shown):
        draft.stop("take_down_due")


ACTIONS = (
    Action(
        name="publish", label=Label("公开", "publish"), by=(CHIEF, DIRECTOR), only=weighty_needs_director,
        moves=anywhere(s.AFTER_SERVICE), payload=Publication, effect=_published, guards=(own_document, text_is_clean),
        answers=("publish_due",), papers=(papers.PUBLICATION,), tell=(UNIT,),
    ),
    Action(
        name="take_down", label=Label("撤下", "take down"), by=(CHIEF, DIRECTOR), only=weighty_needs_director,
        moves=anywhere(s.EVERY), payload=Removal, effect=_taken_down, guards=(own_document,), answers=("take_down_due",),
        papers=(papers.TAKE_DOWN,), tell=(UNIT,),
    ),
)  # fmt: skip
