"""Commands that look for trouble, and one that mends it: check, verify, doctor, recount; and what the workflow draws."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import workflows
from loop import bootstrap, calendars
from loop.cli import console, diagnosis
from loop.engine.verify import verify as verify_all
from loop.kernel import chart
from loop.kernel.errors import Unavailable
from loop.kernel.modelcheck import check as check_model
from loop.kernel.reference import reference as make_reference
from loop.store import tallies
from loop.store.populace import inhabited_states, people_model
from loop.store.session import Store
from workflows.premises import PREMISES


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(check)
    app.command()(verify)
    app.command()(doctor)
    app.command()(recount)
    app.command()(diagram)
    app.command()(reference)


def check(as_json: console.AsJson = False) -> None:
    """Model-check the workflow, the clocks and the people; exit 1 with the shortest trace to each fault."""
    settings = console.settings()
    book = bootstrap.book_of(settings, calendars.build((), settings.server.zone))
    premises, people = PREMISES, None
    store = Store.open(settings.database.url)
    try:
        premises, people = store.read(lambda tx: (inhabited_states(tx, PREMISES), people_model(tx)))
    except Unavailable as unavailable:
        console.errors.print(f"workflow only, without people and findings: {unavailable.label.en}", markup=False)
    finally:
        store.close()
    faults = check_model(book.workflow, book.table, book.rules, people, premises)
    if as_json:
        console.say_json({
            "ok": not faults,
            "faults": [
                {"code": f.code, "subject": f.about, "zh": f.label.zh, "en": f.label.en, "trace": [str(s) for s in f.trace]}
                for f in faults
            ],
        })  # fmt: skip
    else:
        for fault in faults:
            console.say(f"{fault.code} {fault.about}: {fault.label.zh} {fault.label.en}")
            for step in fault.trace:
                console.say(f"    {step}")
        flow = book.workflow
        counted = f"{len(flow.states)} states, {len(flow.actions)} actions, {len(flow.timers)} timers"
        console.say(f"{counted}: {len(faults) or 'no'} faults")
    raise typer.Exit(1 if faults else 0)


def verify(as_json: console.AsJson = False) -> None:
    """Recompute every hash chain and rebuild every row from its history; exit 1 names the first broken one."""
    with console.parts() as parts, console.bar("verifying", quiet=as_json) as progress:
        task = progress.add_task("events")
        report = verify_all(
            parts.store,
            parts.evidence,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
            book=parts.engine.book,
        )
    if as_json:
        fault = report.fault
        broken = {"table": fault.table, "key": fault.key, "what": fault.what} if fault else None
        console.say_json({"ok": report.ok, "checked": dict(report.checked), "broken": broken})
    elif report.fault:
        console.say(f"broken 不一致: {report.fault}")
    else:
        console.say("content 一致: " + ", ".join(f"{n} {table}" for table, n in sorted(report.checked.items())))
    raise typer.Exit(0 if report.ok else 1)


def doctor(as_json: console.AsJson = False) -> None:
    """Say what is wrong with this installation and what to do; exit 1 if anything is."""
    findings = diagnosis.examine(console.settings, lambda: datetime.now(UTC))
    if as_json:
        console.say_json([{"what": f.what, "ok": f.ok, "said": f.said, "do": f.do} for f in findings])
    else:
        for finding in findings:
            console.say(f"{'✓' if finding.ok else '✗'} {finding.what}: {finding.said}")
            if finding.do:
                console.say(f"    → {finding.do}")
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)


def recount(as_json: console.AsJson = False) -> None:
    """Count the figures of the board anew, from the findings themselves."""
    with console.parts() as parts:
        zone = parts.engine.book.calendar.zone
        before = parts.store.read(lambda tx: tallies.drift(tx, zone))
        parts.store.write(lambda tx: tallies.recount(tx, zone))
    if as_json:
        console.say_json({"wrong": before})
        return
    console.say(f"{before} counts were wrong; all are counted anew 看板计数已重新统计")


def diagram(
    form: Annotated[str, typer.Option("--format", help="mermaid or svg")] = "mermaid",
    language: console.Language = "zh",
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """The state chart, drawn from the workflow."""
    if form not in ("mermaid", "svg"):
        raise typer.BadParameter("write mermaid or svg")
    flow = workflows.declared()
    text = chart.mermaid(flow, language) if form == "mermaid" else chart.svg(flow, language)
    _put(text, out)


def _put(text: str, out: Path | None) -> None:
    if out is None:
        console.say(text.rstrip("\n"))
        return
    with console.writing(out) as file:
        file.write(text)


def reference(
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """States, actions, permissions, timers and papers as Markdown, generated from the workflow and the shipped rules."""
    book = bootstrap.book_of(console.settings(), calendars.build(()))
    _put(make_reference(book.workflow, book.table, book.rules), out)
