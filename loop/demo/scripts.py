"""What happens to each sample finding: courses of steps that end in every state, level and look-back of the workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from loop.demo.country import Bureau
from loop.demo.samples import Sample
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, INSPECTOR, LEADER, OFFICER, UNIT

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step can see when it is played."""

    sample: Sample
    bureau: Bureau
    unit: str
    today: date
    evidence: str
    letter: str

    def day(self, ahead: int) -> str:
        """The day so many days ahead."""
        return (self.today + timedelta(days=ahead)).isoformat()

    def name(self, role: str, place: int = 0) -> str:
        """Sign-in name of somebody of the office."""
        return self.bureau.seats[role][place].name


@dataclass(frozen=True, slots=True)
class Step:
    """After `wait` days `who` (a role, and which of several) does `action`."""

    wait: int
    who: tuple[str, int]
    action: str
    payload: Callable[[Scene], Payload] = lambda scene: {}


def by(role: str, place: int = 0) -> tuple[str, int]:
    """Who acts."""
    return role, place


def signer(sample: Sample) -> tuple[str, int]:
    """The director signs towards a government, the chief towards anybody else."""
    return by(DIRECTOR if sample.unit_kind == "government" else CHIEF)


def judge(sample: Sample) -> tuple[str, int]:
    """Who accepts a plan."""
    return by(CHIEF if sample.severity in ("major", "grave") else OFFICER)


# ---- payloads ------------------------------------------------------------------------------------------------------


def _open(scene: Scene) -> Payload:
    sample = scene.sample
    fields: dict[str, Any] = {
        "title": sample.title, "description": sample.description, "unit": scene.unit, "category": sample.category,
        "severity": sample.severity or "normal", "kind": sample.kind, "positive": sample.positive,
        "facts": [sample.description[:2000] or sample.title], "found_on": scene.today.isoformat(),
        "legal_basis": [{"title": "教育督导条例", "article": "第十一条"}], "source": "督导检查",
        "long_term": sample.seq % 17 == 0,
    }  # fmt: skip
    if sample.kind in scene.bureau.supervisions:
        fields["supervision"] = scene.bureau.supervisions[sample.kind]
    return fields


def _demand(scene: Scene) -> str:
    return scene.sample.requirement or "限期整改，举一反三，完善制度。"


def _letter(scene: Scene) -> Payload:
    letter: dict[str, Any] = {
        "evaluation": "总体落实较好，但存在所列问题。",
        "demands": [_demand(scene), "建立长效机制，防止问题反弹。"],
    }
    if scene.sample.kind in ("comprehensive", "special"):
        letter["consent"] = {"agreed": 3, "of": 3}
    return letter


def _plan(scene: Scene) -> Payload:
    items = [
        {
            "demand_no": number, "problem": scene.sample.title, "task": task, "responsible": "分管负责人",
            "measure": scene.sample.measure or "明确专人，逐项整改。", "due": scene.day(14 * number),
        }
        for number, task in ((1, "完成问题整改"), (2, "建立长效机制"))
    ]  # fmt: skip
    return {"cause": "日常管理不到位。", "target": "按期整改到位。", "items": items, "finish_on": scene.day(28)}


def _report(scene: Scene) -> Payload:
    item = {"status": "done", "text": "已按方案完成。", "evidence": [scene.evidence]}
    return {
        "items": [item, {**item, "text": "制度已建立并执行。"}],
        "effect": "问题已解决。",
        "long_term_mechanism": "每月自查一次。",
        "attachments": [scene.evidence],
    }


def _interview(scene: Scene) -> Payload:
    return {
        "chair": scene.name(CHIEF), "at": f"{scene.day(9)}T09:00:00+08:00", "place": "督导办公室",
        "interviewees": [{"name": "单位负责人", "post": "主要负责人"}], "materials": ["整改情况报告"],
    }  # fmt: skip


def _record(scene: Scene) -> Payload:
    return {
        "attendance": [{"name": "单位负责人", "post": "主要负责人", "present": True}],
        "facts_told": "逾期未完成整改。", "demands": ["限期完成整改"], "statement": "认识到位，立即整改。",
        "commitment": "保证按期完成。", "rectify_by": scene.day(30),
    }  # fmt: skip


def _items(verdict: str) -> Callable[[Scene], list[dict[str, str]]]:
    return lambda scene: [{"text": "逐项核查：" + scene.sample.title[:60], "verdict": verdict}]


def _pass(scene: Scene) -> Payload:
    signed = [scene.name(INSPECTOR, 1), scene.name(INSPECTOR, 2)]
    return {"items": _items("pass")(scene), "comments": "整改到位。", "signed_by": signed}


def _fail(scene: Scene) -> Payload:
    signed = [scene.name(INSPECTOR, 1), scene.name(INSPECTOR, 2)]
    return {"items": _items("fail")(scene), "gaps": "部分措施未落实。", "new_date": scene.day(20), "signed_by": signed}


def _assign(scene: Scene) -> Payload:
    return {"reviewers": [scene.name(INSPECTOR, 1), scene.name(INSPECTOR, 2)], "mode": "onsite", "on": scene.day(2)}


def _bulletin(scene: Scene) -> Payload:
    return {
        "kind": "criticism", "text": f"{scene.sample.title}，逾期未整改。", "public": False,
        "recipients": ["所在地党委", "所在地人民政府"], "rectify_by": scene.day(30),
    }  # fmt: skip


def _group(scene: Scene) -> Payload:
    return {"members": [scene.name(INSPECTOR), scene.name(INSPECTOR, 1), scene.name(OFFICER)]}


def _notice(scene: Scene) -> Payload:
    facts = [{"text": "逾期未整改且未报告。", "evidence": [scene.evidence]}]
    return {"facts": facts, "basis": ["教育督导条例"], "intended_forms": ["F_PUBLIC_CRITICISM", "F_BULLETIN"]}


def _decision(scene: Scene) -> Payload:
    form = {
        "form": "F_PUBLIC_CRITICISM",
        "subject_type": "unit",
        "subject": scene.sample.unit_name,
        "executor": "督导办",
    }
    return {"forms": [form], "effective_on": scene.today.isoformat(), "rectify_by": scene.day(40)}


def _publication(scene: Scene) -> Payload:
    text = f"督导机构就“{scene.sample.title}”提出督导意见：{_demand(scene).rstrip('。')}。整改情况将按规定复查。"
    return {"document": scene.letter, "public_text": text}


def fixed(**payload: Any) -> Callable[[Scene], Payload]:
    """A payload that does not depend on the scene."""
    return lambda scene: payload


def _grounds(scene: Scene) -> Payload:
    return {"grounds": ["情况有变化，部分事实需要核实。"]}


def _weigh(scene: Scene) -> Payload:
    return {"outcome": "partly", "reasons": [{"text": "经核查部分采纳。", "ground_no": 1}]}


def _beyond(sample: Sample) -> int:
    """So many days ahead lies past the date to rectify by, four days after the plan was accepted."""
    if sample.seq % 17 == 0:
        return 195
    return 105 if sample.severity in ("major", "grave") else 45


def _urged(sample: Sample) -> tuple[Step, ...]:
    """A government has no department that could urge it."""
    return () if sample.unit_kind == "government" else (URGE,)


# ---- courses -------------------------------------------------------------------------------------------------------

ATTACH = "attach"
UNPUBLISHED = 7
"""The letter about every so many samples stays unpublished, so that somebody's desk says so."""
EVIDENCE = Step(1, by(UNIT), ATTACH)
OPEN = Step(0, by(INSPECTOR), "open", _open)
SUBMIT = Step(2, by(INSPECTOR), "submit_report")
APPROVE = Step(2, by(CHIEF), "approve_report", lambda s: {"mode": "written", "fed_back_on": s.today.isoformat()})
REPORTED = (OPEN, SUBMIT, APPROVE)
WAIVE = Step(3, by(UNIT), "waive_defence")
DEFEND = Step(4, by(UNIT), "defend", _grounds)
WEIGH = Step(5, by(OFFICER), "weigh_defence", _weigh)
RECEIVE = Step(
    1, by(UNIT), "acknowledge", lambda s: {"receiver": {"name": "收发员"}, "received_on": s.today.isoformat()}
)  # fmt: skip
PUBLISH = Step(0, by(CHIEF), "publish", _publication)
PLAN = Step(9, by(UNIT), "submit_plan", _plan)
RETURN_PLAN = Step(3, by(OFFICER), "return_plan", fixed(reasons=["措施不具体，请补充。"]))
PROGRESS = Step(7, by(UNIT), "report_progress", fixed(text="正在推进。", percent=60))
REPORT = Step(8, by(UNIT), "submit_rectification", _report)
ASSIGN = Step(3, by(CHIEF), "assign_review", _assign)
PASS = Step(4, by(INSPECTOR, 1), "pass_review", _pass)
FAIL = Step(4, by(INSPECTOR, 1), "fail_review", _fail)
WRITE_OFF = Step(2, by(CHIEF), "write_off")
HELD = Step(4, by(INSPECTOR), "confirm_held", fixed(verdict="成效保持"))
FILE = Step(3, by(OFFICER), "file_interview", fixed(record_no="约谈记录一号", recipients=["所在地党委"]))
ANSWER = Step(6, by(UNIT), "answer_bulletin", fixed(text="已召开专题会议，逐项整改。"))


def served(sample: Sample) -> tuple[Step, ...]:
    """Up to the opinion letter."""
    return (*REPORTED, WAIVE, Step(5, signer(sample), "serve_opinion", _letter))


def received(sample: Sample) -> tuple[Step, ...]:
    """Up to the receipt; nearly every office publishes its letter then."""
    return (*served(sample), RECEIVE) if sample.seq % UNPUBLISHED == 0 else (*served(sample), RECEIVE, PUBLISH)


def working(sample: Sample) -> tuple[Step, ...]:
    """Up to the accepted plan."""
    return (*received(sample), PLAN, Step(3, judge(sample), "accept_plan"))


def reported(sample: Sample) -> tuple[Step, ...]:
    """Up to the rectification report."""
    return (*working(sample), PROGRESS, EVIDENCE, REPORT)


def closed(sample: Sample) -> tuple[Step, ...]:
    """Up to the write-off."""
    return (*reported(sample), ASSIGN, PASS, WRITE_OFF)


def silent(sample: Sample, days: int) -> tuple[Step, ...]:
    """The unit never hands in a plan: the ladder acts. Ends with a chief's remark so many days after receipt."""
    longer = 0 if sample.unit_kind == "school" else 14
    return (*received(sample), wait(days + longer))


def wait(days: int) -> Step:
    """Nothing but time; a remark in the file marks its end."""
    return Step(days, by(CHIEF), "comment", fixed(text="持续跟踪。", internal=True))


def interviewed(sample: Sample) -> tuple[Step, ...]:
    """Silent until called in, noticed and heard."""
    return (
        *silent(sample, 48), Step(1, signer(sample), "notice_interview", _interview),
        Step(9, signer(sample), "hold_interview", _record),
    )  # fmt: skip


def bulletined(sample: Sample) -> tuple[Step, ...]:
    """Interviewed, silent again, named in a bulletin."""
    return (*interviewed(sample), FILE, wait(20), Step(1, signer(sample), "issue_bulletin", _bulletin))


def investigated(sample: Sample) -> tuple[Step, ...]:
    """Referred for accountability after the bulletin went unanswered; the group is at work."""
    return (*bulletined(sample), wait(36), Step(3, by(DIRECTOR), "form_group", _group), EVIDENCE)


def notified(sample: Sample) -> tuple[Step, ...]:
    """The intended measure is made known."""
    return (*investigated(sample), Step(10, by(CHIEF), "serve_notice", _notice))


def decided(sample: Sample) -> tuple[Step, ...]:
    """Heard and decided."""
    heard = Step(3, by(UNIT), "state_defence", _grounds)
    return (*notified(sample), heard, Step(6, by(DIRECTOR), "decide_accountability", _decision))


def praised(sample: Sample) -> tuple[Step, ...]:
    """Something to commend, under public notice."""
    announce = Step(
        3, by(CHIEF), "announce_commendation", lambda s: {"notice_from": s.day(0), "notice_to": s.day(14)}
    )  # fmt: skip
    return (*REPORTED, announce)


INSTRUCT = Step(1, by(LEADER), "instruct", fixed(text="请督导办跟踪督办，确保整改到位。"))
URGE = Step(1, by(DEPARTMENT), "urge", fixed(text="请抓紧整改。"))
OBJECT = Step(2, by(UNIT), "object", fixed(act="opinion", grounds=["期限过短。"]))
APPEAL = Step(4, by(UNIT), "appeal", fixed(act="decision", grounds=["处理偏重。"]))
SPOT = Step(
    0, by(INSPECTOR), "issue_on_the_spot", lambda s: {"opinion": _demand(s), "rectify_by": s.day(20)}
)  # fmt: skip
ASK = Step(4, by(UNIT), "request_extension", lambda s: {
    "reason": "工程招标耗时。", "new_date": s.day(_beyond(s.sample)), "progress": "已完成一半。",
})  # fmt: skip
SUSPEND = Step(2, by(CHIEF), "suspend", lambda s: {"reason": "台风停课，依书面决定中止。", "until": s.day(30)})
RELAPSE = Step(4, by(INSPECTOR), "relapse", lambda s: {"rectify_by": s.day(30), "similar": False})
PROPOSE = Step(1, by(OFFICER), "propose_commendation", fixed(form="通报表扬", grounds="整改迅速，成效明显。"))

FATES: tuple[tuple[str, int, Callable[[Sample], tuple[Step, ...]]], ...] = (
    ("draft", 1, lambda s: (OPEN,)),
    ("submitted", 1, lambda s: (OPEN, SUBMIT)),
    ("preliminary", 2, lambda s: REPORTED),
    ("defence", 2, lambda s: (*REPORTED, DEFEND)),
    ("drafting", 2, lambda s: (*REPORTED, DEFEND, WEIGH)),
    ("served", 1, served),
    ("planning", 3, received),
    ("planning warned", 0, lambda s: silent(s, 14)),
    ("planning late", 0, lambda s: silent(s, 25)),
    ("planning ordered", 0, lambda s: silent(s, 38)),
    ("plan review", 1, lambda s: (*received(s), PLAN)),
    ("plan returned", 1, lambda s: (*received(s), PLAN, RETURN_PLAN)),
    ("executing", 5, working),
    ("executing with progress", 4, lambda s: (*working(s), PROGRESS, INSTRUCT)),
    ("extension asked", 1, lambda s: (*working(s), ASK)),
    ("executing late", 0, lambda s: (*working(s), wait(95 if s.severity in ("major", "grave") else 36), *_urged(s))),
    ("suspended", 3, lambda s: (*working(s), SUSPEND)),
    ("desk", 2, reported),
    ("on site", 1, lambda s: (*reported(s), ASSIGN)),
    ("failed once", 3, lambda s: (*reported(s), ASSIGN, FAIL)),
    ("failed twice", 1, lambda s: (*reported(s), ASSIGN, FAIL, EVIDENCE, REPORT, ASSIGN, FAIL)),
    ("passed", 1, lambda s: (*reported(s), ASSIGN, PASS)),
    ("praise proposed", 1, lambda s: (*reported(s), ASSIGN, PASS, PROPOSE)),
    ("interview proposed", 1, lambda s: silent(s, 48)),
    ("interview noticed", 3, lambda s: (*silent(s, 48), Step(1, signer(s), "notice_interview", _interview))),
    ("interview held", 1, interviewed),
    ("after interview", 6, lambda s: (*interviewed(s), FILE)),
    ("bulletin drafted", 1, lambda s: (*interviewed(s), FILE, wait(20))),
    ("bulletin issued", 3, bulletined),
    ("after bulletin", 5, lambda s: (*bulletined(s), ANSWER)),
    ("referred", 1, lambda s: (*bulletined(s), wait(36))),
    ("investigating", 3, investigated),
    ("notified", 2, notified),
    ("deciding", 3, lambda s: (*notified(s), Step(3, by(UNIT), "state_defence", _grounds))),
    ("decided", 3, decided),
    ("appealed", 3, lambda s: (*decided(s), APPEAL)),
    ("objected", 4, lambda s: (*served(s), RECEIVE, OBJECT)),
    ("written off", 20, closed),
    ("looked back", 96, closed),
    ("held once", 30, lambda s: (*closed(s), Step(96, *_held()))),
    ("relapsed", 4, lambda s: (*closed(s), Step(94, by(INSPECTOR), "relapse", RELAPSE.payload))),
    ("on the spot", 6, lambda s: (OPEN, SPOT) if s.kind == "routine" and s.severity == "normal" else working(s)),
    ("withdrawn", 5, lambda s: (*REPORTED, Step(4, by(CHIEF), "withdraw", fixed(reason="经核实不属实。")))),
    ("archived", 40, lambda s: (*closed(s), Step(96, *_held()), Step(94, *_held()))),
)
"""Name, days that pass after the last step, and the course. Played in turn over the samples."""


def _held() -> tuple[tuple[str, int], str, Callable[[Scene], Payload]]:
    return HELD.who, HELD.action, HELD.payload


def fate_of(place: int, sample: Sample) -> tuple[str, int, tuple[Step, ...]]:
    """The course of the sample at `place`; what is to be commended goes its own way."""
    if sample.positive:
        confirm = Step(21, by(DIRECTOR), "confirm_commendation")
        return ("praised", 3, praised(sample) if place % 2 else (*praised(sample), confirm))
    name, rest, course = FATES[place % len(FATES)]
    return name, rest, course(sample)
