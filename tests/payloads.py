"""A plausible payload for any action in any state of a finding: dates that lie right, numbers that answer what was asked.

`Writer` fills in forms as a diligent clerk would; `choose` picks between several plausible values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from loop.kernel.calendar import local_day
from loop.kernel.finding import Finding
from loop.kernel.payloads import example_of
from loop.store import evidence, papers
from tests.world import World
from workflows.forms import FORMS

T = TypeVar("T")
Chooser = Callable[[Sequence[T]], T]
LAW = [{"title": "消防法", "article": "第二十八条"}]
HEAD = {"name": "校长", "post": "校长"}
REVIEWERS = ["inspector2", "inspector3"]
MEMBERS = ["inspector", "inspector2", "inspector3"]
CATEGORIES = ("campus_safety", "health_canteen")


class Writer:
    """Writes payloads for one world."""

    def __init__(self, world: World, choose: Callable[[Sequence[Any]], Any]) -> None:
        self.world, self.choose = world, choose

    def day(self, ahead: int) -> str:
        return self.world.day(ahead)

    def new(self) -> dict[str, Any]:
        """A finding to open."""
        special = self.choose([False, False, False, True])
        return {
            "title": "消防通道堵塞", "unit": self.choose(["school", "school", "other_school", "government"]),
            "category": self.choose(CATEGORIES), "severity": self.choose(["normal", "normal", "major", "grave"]),
            "supervision": self.world.cast.supervisions["special"] if special else None, "facts": ["东侧通道堆放杂物"],
            "legal_basis": LAW, "found_on": self.day(-2), "danger_to_life": self.choose([False, False, True]),
            "long_term": self.choose([False, True]), "positive": self.choose([False] * 5 + [True]),
        }  # fmt: skip

    def taken_over(self) -> dict[str, Any]:
        """A finding to take over from an older ledger."""
        given = {
            "title": "旧账", "unit": self.choose(["school", "other_school"]), "category": self.choose(CATEGORIES),
            "severity": self.choose(["normal", "grave"]), "source": "在办台账", "received_on": self.day(-1),
            "long_term": self.choose([False, True]),
        }  # fmt: skip
        basis = self.choose(["", "云教督〔2025〕7号"])
        state: dict[str, Any] = self.choose([{"rectify_by": self.day(25)}, {"written_off_on": self.day(-30)}])
        return {**given, "letter_no": basis, **state}

    def applies(self, action: str, finding: Finding) -> bool:
        """Whether there is anything to answer, dispute, prove or take down: what offers without a payload cannot say."""
        acts = finding.sheet.get("acts") or ()
        match action:
            case "answer_instruction" | "record_transfer_result":
                rule = "instruction_reply" if action == "answer_instruction" else "transfer_result"
                return finding.timer(rule) is not None
            case "object":
                windows = self._windows(finding, "opinion_window", "reconsider_window")
                return any(not act.get("disputed") and act["key"] in windows for act in acts)
            case "appeal":
                return bool(self._windows(finding, "appeal_window"))
            case "take_down":
                return any(not shown.get("down") for shown in finding.sheet.get("published") or ())
            case "submit_rectification" | "serve_notice" | "report_fraud":
                return bool(self._files(finding))
        return True

    def write(self, action: str, finding: Finding) -> dict[str, Any]:
        """The payload of `action` on `finding`; the model's own example where nothing depends on the finding."""
        special = getattr(self, f"_{action}", None)
        if special is not None:
            return dict(special(finding))
        model = self.world.engine.book.workflow.actions[action].payload
        return {**example_of(model), **self._dates(model.model_fields)}

    def _dates(self, fields: Any) -> dict[str, Any]:
        ahead = {"rectify_by": 40, "new_date": 25, "until": 20, "done_on": 0}
        return {name: self.day(days) for name, days in ahead.items() if name in fields}

    def _files(self, finding: Finding) -> list[str]:
        return sorted(self.world.parts.store.read(lambda tx: evidence.ids(tx, finding.number)))[:2]

    # ---- report and feedback -----------------------------------------------------------------------------------------

    def _amend(self, finding: Finding) -> dict[str, Any]:
        return {"title": "消防通道堵塞（改）", "facts": ["通道上锁"], "legal_basis": LAW}

    def _urgent_order(self, finding: Finding) -> dict[str, Any]:
        return {"measure": "立即停用", "told_to": HEAD, "at": self.world.clock.isoformat()}

    def _approve_report(self, finding: Finding) -> dict[str, Any]:
        return {"mode": "written", "fed_back_on": self.day(0)}

    def _issue_on_the_spot(self, finding: Finding) -> dict[str, Any]:
        return {"opinion": "清理通道", "rectify_by": self.day(20)}

    def _defend(self, finding: Finding) -> dict[str, Any]:
        return {"grounds": ["情况有变化", "已经整改"], "attachments": self._files(finding)}

    def _weigh_defence(self, finding: Finding) -> dict[str, Any]:
        grounds = finding.part("defence").get("grounds", ())
        return {"outcome": "rejected", "reasons": [{"ground_no": g["no"], "text": "不成立"} for g in grounds]}

    def _serve_opinion(self, finding: Finding) -> dict[str, Any]:
        by = self.choose([None, self.day(75)])
        demands = ["清理通道", "建立制度"]
        return {"evaluation": "存在隐患", "demands": demands, "rectify_by": by, "consent": {"agreed": 3, "of": 3}}

    def _acknowledge(self, finding: Finding) -> dict[str, Any]:
        return {"receiver": {"name": "收发员"}, "received_on": self.day(0)}

    # ---- rectification and review ------------------------------------------------------------------------------------

    def _submit_plan(self, finding: Finding) -> dict[str, Any]:
        lists = {"problem": "堵塞", "task": "清理", "measure": "立即清理", "responsible": "副校长", "due": self.day(8)}
        items = [{"demand_no": d["no"], **lists} for d in finding.part("opinion").get("demands", ())]
        limit = finding.sheet.get("rectify_by") or self.day(20)
        return {"cause": "管理不严", "target": "畅通", "items": items, "finish_on": min(self.day(20), str(limit))}

    def _report_progress(self, finding: Finding) -> dict[str, Any]:
        return {"text": "正在清理", "percent": 50, "attachments": self._files(finding)}

    def _request_extension(self, finding: Finding) -> dict[str, Any]:
        return {"reason": "工期延误", "new_date": self._after_due(finding, 20), "progress": "完成一半"}

    def _grant_extension(self, finding: Finding) -> dict[str, Any]:
        return {"new_date": self._after_due(finding, 15)}

    def _after_due(self, finding: Finding, days: int) -> str:
        timer = finding.timer("rectify_by")
        due = local_day(timer.due_at, self.world.engine.book.calendar) if timer else self.world.today
        return max(due + timedelta(days=days), self.world.today + timedelta(days=1)).isoformat()

    def _submit_rectification(self, finding: Finding) -> dict[str, Any]:
        plan = finding.part("plan")
        asked = plan.get("items") if plan.get("status") == "accepted" else finding.part("opinion").get("demands")
        item = {"status": self.choose(["done"] * 6 + ["not_done"]), "text": "已清理", "evidence": self._files(finding)}
        return {"items": [item] * len(asked or [1]), "effect": "畅通", "attachments": self._files(finding)}

    def _assign_review(self, finding: Finding) -> dict[str, Any]:
        return {"reviewers": REVIEWERS, "mode": "onsite", "on": self.day(2)}

    def _pass_review(self, finding: Finding) -> dict[str, Any]:
        return {"items": [{"text": "通道", "verdict": "pass"}], "comments": "到位", "signed_by": REVIEWERS}

    def _pass_partly(self, finding: Finding) -> dict[str, Any]:
        checked = [{"text": "通道", "verdict": "pass"}, {"text": "制度", "verdict": "fail"}]
        return {"items": checked, "remaining": "制度", "new_date": self.day(30), "signed_by": REVIEWERS}

    def _fail_review(self, finding: Finding) -> dict[str, Any]:
        checked = [{"text": "通道", "verdict": "fail"}]
        return {"items": checked, "gaps": "仍有堆物", "new_date": self.day(15), "signed_by": REVIEWERS}

    def _report_fraud(self, finding: Finding) -> dict[str, Any]:
        return {"proof": self._files(finding) or ["none"]}

    def _announce_commendation(self, finding: Finding) -> dict[str, Any]:
        return {"notice_from": self.day(0), "notice_to": self.day(16)}

    # ---- interview, bulletin, accountability -------------------------------------------------------------------------

    def _propose_interview(self, finding: Finding) -> dict[str, Any]:
        return {"reasons": [{"text": "整改不力", "code": "AC_POOR_RECTIFY"}]}

    def _notice_interview(self, finding: Finding) -> dict[str, Any]:
        return {"chair": "chief", "at": self._at(14), "place": "会议室", "interviewees": [HEAD]}

    def _postpone_interview(self, finding: Finding) -> dict[str, Any]:
        return {"reason": "天气", "at": self._at(16)}

    def _at(self, ahead: int) -> str:
        return f"{self.day(ahead)}T09:00:00+08:00"

    def _hold_interview(self, finding: Finding) -> dict[str, Any]:
        return {
            "attendance": [{**HEAD, "present": True}], "facts_told": "逾期", "demands": ["限期完成"], "statement": "接受",
            "commitment": "按期完成", "rectify_by": self.day(20),
        }  # fmt: skip

    def _propose_bulletin(self, finding: Finding) -> dict[str, Any]:
        return {"reasons": [{"text": "整改不力", "code": "AC_POOR_RECTIFY"}], "facts": "逾期未整改"}

    def _issue_bulletin(self, finding: Finding) -> dict[str, Any]:
        shown = self.choose([{}, {"public": True, "public_text": "某校逾期未整改", "privacy_checked_by": "officer"}])
        return {
            "kind": "criticism",
            "text": "逾期未整改",
            "recipients": ["镇党委"],
            "rectify_by": self.day(20),
            **shown,
        }

    def _answer_bulletin(self, finding: Finding) -> dict[str, Any]:
        return {"text": "已经部署", "attachments": self._files(finding)}

    def _refer(self, finding: Finding) -> dict[str, Any]:
        return {"circumstances": ["AC_POOR_RECTIFY"], "facts": "拒不整改"}

    def _form_group(self, finding: Finding) -> dict[str, Any]:
        return {"members": MEMBERS}

    def _serve_notice(self, finding: Finding) -> dict[str, Any]:
        proven = [{"text": "拒不整改", "evidence": self._files(finding)}]
        return {"facts": proven, "basis": ["问责办法"], "intended_forms": ["F_PUBLIC_CRITICISM", "F_BULLETIN"]}

    def _state_defence(self, finding: Finding) -> dict[str, Any]:
        return {"grounds": ["已尽力"], "attachments": self._files(finding)}

    def _decide_accountability(self, finding: Finding) -> dict[str, Any]:
        intended = finding.part("notice").get("intended_forms") or ["F_BULLETIN"]
        kind = "unit" if "unit" in FORMS[intended[0]][1] else "person"
        form = {"form": intended[0], "subject_type": kind, "subject": "学校", "executor": "县教育局"}
        return {"forms": [form], "effective_on": self.day(1), "rectify_by": self.day(30)}

    def _record_execution(self, finding: Finding) -> dict[str, Any]:
        forms = finding.part("decision").get("forms") or [{"form": "F_BULLETIN"}]
        return {"form": forms[0]["form"], "executor": "县教育局", "result": "已执行", "done_on": self.day(0)}

    # ---- look-back ---------------------------------------------------------------------------------------------------

    def _open_lookback(self, finding: Finding) -> dict[str, Any]:
        return {"unannounced": self.choose([False, True]), "reviewers": self.choose([[], REVIEWERS])}

    def _confirm_held(self, finding: Finding) -> dict[str, Any]:
        return {"verdict": "成效保持", "evidence": self._files(finding)}

    def _relapse(self, finding: Finding) -> dict[str, Any]:
        return {"evidence": self._files(finding), "similar": True, "rectify_by": self.day(30)}

    def _waive_lookback(self, finding: Finding) -> dict[str, Any]:
        span = {"from_on": self.day(-400), "to_on": self.day(0)}
        return {"draw": {"seed": "2026", **span, "percent": 0}}

    # ---- at any time -------------------------------------------------------------------------------------------------

    def _instruct(self, finding: Finding) -> dict[str, Any]:
        return {"text": "抓紧办理", "reply_due": self.choose([None, self.day(20)])}

    def _answer_instruction(self, finding: Finding) -> dict[str, Any]:
        return {"text": "已经办理"}

    def _record_transfer_result(self, finding: Finding) -> dict[str, Any]:
        return {"text": "已立案"}

    def _change_unit(self, finding: Finding) -> dict[str, Any]:
        others = [unit for unit in ("school", "other_school", "government") if unit != finding.unit_id]
        return {"unit": self.choose(others), "reason": "主体有误"}

    def _correct(self, finding: Finding) -> dict[str, Any]:
        return {"field": "title", "value": "消防通道堵塞（更正）", "reason": "笔误"}

    def _publish(self, finding: Finding) -> dict[str, Any]:
        return {"document": self._paper(finding), "public_text": "某校已整改"}

    def _take_down(self, finding: Finding) -> dict[str, Any]:
        shown = [p["document"] for p in finding.sheet.get("published", ()) if p.get("document")]
        return {"document": self.choose([None, *shown[:1]]), "reason": "已撤销"}

    def _paper(self, finding: Finding) -> str:
        made = self.world.parts.store.read(lambda tx: papers.of_finding(tx, finding.number))
        return str(self.choose([paper.id for paper, _ in made if paper.number] or ["none"]))

    # ---- dispute -----------------------------------------------------------------------------------------------------

    def _windows(self, finding: Finding, *rules: str) -> list[str]:
        """The acts whose window of one of these kinds is open."""
        return [t.note for t in finding.timers if t.rule in rules and not t.is_past(self.world.clock)]

    def _act(self, finding: Finding) -> str:
        """An act whose window is open, the last one first; else any."""
        open_ones = self._windows(finding, "opinion_window", "reconsider_window", "appeal_window")
        acts = [act["key"] for act in finding.sheet.get("acts") or ({"key": "opinion"},)]
        return str(self.choose(sorted(open_ones, key=acts.index, reverse=True)[:1] or acts))

    def _object(self, finding: Finding) -> dict[str, Any]:
        return {"act": self._act(finding), "grounds": ["认定有误"], "attachments": self._files(finding)}

    def _appeal(self, finding: Finding) -> dict[str, Any]:
        return self._object(finding)

    def _vary(self, finding: Finding) -> dict[str, Any]:
        known = str(finding.sheet.get("rectify_by") or self.day(0))
        later = max(date.fromisoformat(known[:10]), self.world.today) + timedelta(days=10)
        return {"reasons": ["酌情"], "rectify_by": later.isoformat()}

    def _record_correction(self, finding: Finding) -> dict[str, Any]:
        return {"what": "已经改正", "proof": self._files(finding) or ["none"]}
