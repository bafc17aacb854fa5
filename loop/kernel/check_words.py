"""The model check of words: every name and sentence exists in Chinese and in English, every paper has a kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from loop.kernel.clocks import Recur, Remind
from loop.kernel.faults import Fault, Trace
from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.model import KNOWN_NAMES, Model, told_by
from loop.kernel.payloads import label_of
from loop.kernel.people import SYSTEM
from loop.kernel.workflow import COURSE, DISPUTE, WINDOW, Action, Paper


def word_faults(model: Model) -> Iterator[Fault]:
    """Missing and empty texts and sentences, papers without a kind, one kind with two names."""
    flow = model.workflow
    for track, states in ((COURSE, {s.name: s.label for s in flow.states.values()}), (DISPUTE, flow.dispute_states)):
        for name, label in states.items():
            yield from _empty("state", name, label, model.tracks[track].to(name))
    for name in dict.fromkeys(state.partition(".")[0] for state in flow.states):
        inside = model.course.nearest(s for s in flow.states if s.partition(".")[0] == name)
        yield from _empty("stage", name, flow.stages.get(name), model.course.to(inside or ""))
    for action in flow.actions.values():
        yield from _of_action(model, action)
    for timer in flow.timers.values():
        yield from _empty("timer", timer.name, timer.label, model.to_timer(timer))
    yield from _roles(model)
    yield from _papers(model)
    for about, sentence, trace in _sentences(model):
        missing = LANGUAGES if sentence is None else [lang for lang in LANGUAGES if not sentence.in_(lang).strip()]
        for language in missing:
            why = Label(
                f"{about} 缺少{'中文' if language == 'zh' else '英文'}告知用语",
                f"what people are told of {about} is missing in {language}",
            )
            yield Fault("no_sentence", about, why, trace)


def _sentences(model: Model) -> Iterator[tuple[str, Label | None, Trace]]:
    """Every sentence that there must be, by the part it belongs to: of steps, of what is owed, of deadlines."""
    flow, letters = model.workflow, model.workflow.letters
    for action in flow.actions.values():
        saying, trace = letters.said.get(action.name), model.to_action(action)
        yield action.name, saying.said if saying else None, trace
        for role, sentence in (*saying.to.items(), *saying.asks.items()) if saying else ():
            yield f"{action.name}/{role}", sentence, trace
    for state in flow.states.values():
        for role in state.waits_for:
            yield f"{state.name}/{role}", letters.asked.get((state.name, role)), model.course.to(state.name)
    for timer in flow.timers.values():
        if timer.kind == WINDOW or timer.owner == SYSTEM:
            continue
        deadline, trace = letters.deadlines.get(timer.name), model.to_timer(timer)
        yield timer.name, deadline.by if deadline else None, trace
        if isinstance(timer.on_due, Remind | Recur):
            yield timer.name, deadline.unmet if deadline else None, trace
        if timer.owner:
            yield f"{timer.name}/{timer.owner}", letters.asked.get((timer.name, timer.owner)), trace


def _empty(what: str, name: str, label: Label | None, trace: Trace) -> Iterator[Fault]:
    missing = LANGUAGES if label is None else [lang for lang in LANGUAGES if not label.in_(lang).strip()]
    for language in missing:
        why = Label(
            f"{what} {name} 缺少{'中文' if language == 'zh' else '英文'}名称",
            f"the {what} {name} has no name in {language}",
        )
        yield Fault("no_label", name, why, trace)


def _of_action(model: Model, action: Action) -> Iterator[Fault]:
    trace = model.to_action(action)
    yield from _empty("action", action.name, action.label, trace)
    for guard in (*action.guards, *((action.only,) if action.only else ())):
        yield from _empty("guard", f"{action.name}.{guard.code}", guard.label, trace)
    for path, label in payload_labels(action.payload):
        yield from _empty("field", f"{action.name}.{path}", label, trace)


def payload_labels(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, Label | None]]:
    """Every field of a payload, those of nested models with their path ("items.due"), and its label, None where missing.

    A model that contains itself is entered once.
    """
    yield from _fields(model, before, ())


def _fields(
    model: type[BaseModel], before: str, above: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, Label | None]]:
    for name, info in model.model_fields.items():
        path = before + (info.alias or name)
        try:
            yield path, label_of(name, info)
        except (LookupError, TypeError):
            yield path, None
        for inner in models_in(info.annotation):
            if inner not in (*above, model):
                yield from _fields(inner, f"{path}.", (*above, model))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The payload models that a field's type mentions, within lists, options and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def _roles(model: Model) -> Iterator[Fault]:
    used = {name for action in model.workflow.actions.values() for name in (*action.by, *told_by(action))}
    used |= {role for state in model.workflow.states.values() for role in state.waits_for}
    for name, label in KNOWN_NAMES.items():
        if name in used:
            yield from _empty("role", name, label, ())


def _papers(model: Model) -> Iterator[Fault]:
    seen: dict[str, Paper] = {}
    for action in model.workflow.actions.values():
        trace = model.to_action(action)
        for paper in action.papers:
            if not paper.kind:
                why = Label(f"{action.name} 的文书没有种类", f"a paper of {action.name} has no kind")
                yield Fault("paper_without_kind", action.name, why, trace)
            yield from _empty("paper", paper.kind or action.name, paper.label, trace)
            first = seen.setdefault(paper.kind, paper)
            if (first.label, first.issued, first.internal) != (paper.label, paper.issued, paper.internal):
                why = Label("同一种文书有两种名称或性质", "one kind of paper is declared in two ways")
                yield Fault("paper_twice", paper.kind, why, trace)
