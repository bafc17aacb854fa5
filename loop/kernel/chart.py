"""The state chart of the workflow, as Mermaid text and as an SVG picture of our own: no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from loop.kernel.chart_layout import (
    MARGIN,
    PAD,
    ROW,
    SMALL_SIZE,
    SUBTITLE,
    TEXT_SIZE,
    TITLE_SIZE,
    WIDTH,
    Arrow,
    Box,
    Layout,
    Line,
    Placed,
    fitted,
    layout,
    subtitle,
    text_width,
)
from loop.kernel.labels import Label
from loop.kernel.sketch import Sketch, sketch
from loop.kernel.workflow import START, Workflow

COLOURS = ("#2f6f9f", "#8a5a00", "#2e7d4f", "#6a4fa3", "#b3541e", "#a33b5b", "#1f7a7a", "#7a4a2b", "#4a5fb0", "#5c6670")
INK, FAINT, PAPER, FRAME, RULE = "#1d2733", "#67727e", "#ffffff", "#f4f6f8", "#c9d0d7"
HERE, BEEN = "#c2410c", "#2e7d4f"
TOP = 74.0

HEADLINE = Label("整改闭环 · 状态图", "The rectification loop · state chart")
COMMON = Label("多数在办状态都可以：", "From most open states:")
ANY_STEP = Label("本系统任一步：", "from any step here:")
VERSION = Label("版本", "version")
BY_SYSTEM = Label("系统按时限办理", "taken by the system when due")
BEEN_HERE = Label("经过", "has been here")
IS_HERE = Label("现在在此", "is here")
COUNTED = Label("此状态的问题数", "findings in the state")
EMPTY: Mapping[str, int] = {}

STYLE = f"""
text {{ font-family: 'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif; fill: {INK}; }}
.title {{ font-size: {TITLE_SIZE}px; font-weight: 600; }}
.stage {{ font-size: 14px; font-weight: 700; }}
.text {{ font-size: {TEXT_SIZE}px; }}
.small {{ font-size: {SMALL_SIZE}px; fill: {FAINT}; }}
.frame {{ fill: {FRAME}; stroke: {RULE}; }}
.card {{ fill: {PAPER}; stroke: #8d99a5; }}
.end {{ stroke-width: 2.5; stroke: {INK}; }}
.been {{ fill: #e6f4ea; stroke: {BEEN}; stroke-width: 2; }}
.here {{ fill: #ffedd5; stroke: {HERE}; stroke-width: 3; }}
.arrow {{ fill: none; stroke-width: 1.2; }}
.system {{ stroke-dasharray: 4 3; }}
.walked {{ stroke-width: 3; }}
""".strip()


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked on the chart: the states a finding has been in, in order, where it is, and how many are where."""

    visited: tuple[str, ...] = ()
    here: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)

    def walked(self, arrow: Arrow) -> bool:
        """Whether the finding went this way."""
        return any(a in arrow.sources and b == arrow.target for a, b in pairwise(self.visited))


def _marks(visited: Sequence[str], here: str | None, dispute: str | None, counts: Mapping[str, int]) -> Marks:
    stands = frozenset(state for state in (here, dispute) if state)
    walked = tuple(visited)
    if here and walked and walked[-1] != here:
        walked = (*walked, here)
    return Marks(walked, stands, counts)


# ---- Mermaid ---------------------------------------------------------------------------------------------------------


def mermaid(
    workflow: Workflow, language: str, visited: Sequence[str] = (), here: str | None = None, dispute: str | None = None
) -> str:
    """The chart as a Mermaid flowchart: stages as boxes, arrows with the names of the actions, marks as classes."""
    drawn, marks = sketch(workflow, language), _marks(visited, here, dispute, EMPTY)
    lines = ["flowchart LR"]
    for frame in (*drawn.frames, drawn.dispute):
        lines.append(f'  subgraph stage_{frame.name}["{_quoted(frame.title)}"]')
        for card in frame.cards:
            shape = ("([", "])") if card.end or card.name == START else ("[", "]")
            lines.append(f'    {_id(card.name)}{shape[0]}"{_quoted(card.title)}"{shape[1]}')
        lines.append("  end")
    lines += _mermaid_arrows(drawn)
    lines += [
        f"  classDef been fill:#e6f4ea,stroke:{BEEN},stroke-width:2px",
        f"  classDef here fill:#ffedd5,stroke:{HERE},stroke-width:3px",
    ]
    known = {card.name for frame in (*drawn.frames, drawn.dispute) for card in frame.cards}
    for kind, states in (("been", set(marks.visited) - marks.here), ("here", marks.here)):
        if some := sorted(_id(state) for state in states & known):
            lines.append(f"  class {','.join(some)} {kind}")
    return "\n".join(lines) + "\n"


def _mermaid_arrows(drawn: Sketch) -> list[str]:
    """One arrow for each pair of places; several actions share it. What leads back, or is common, is told as a note."""
    arrows: dict[tuple[str, str, bool], list[str]] = {}
    notes: dict[str, list[str]] = {}
    for frame in (*drawn.frames, drawn.dispute):
        exits = [(_id(card.name), one) for card in frame.cards for one in card.exits]
        exits += [(f"stage_{frame.name}", one) for one in frame.exits]
        for source, one in exits:
            if one.returns:
                notes.setdefault(source, []).append(f"{one.text} ↩ {one.target_text}")
                continue
            for target in one.targets:
                arrows.setdefault((source, _id(target), one.by_system), []).append(one.text)
    found = [
        f'  {source} {"-.->" if by_system else "-->"}|"{_quoted(" / ".join(dict.fromkeys(texts)))}"| {target}'
        for (source, target, by_system), texts in arrows.items()
    ]
    for source, texts in notes.items():
        found.append(f'  {source} -.- back_{source}>"{_quoted("<br/>".join(texts))}"]')
    common = COMMON.in_(drawn.language) + "<br/>" + "<br/>".join(f"{e.text} → {e.target_text}" for e in drawn.common)
    return [*found, f'  common>"{_quoted(common)}"]'] if drawn.common else found


def _id(state: str) -> str:
    return "s_" + (state.replace(".", "_") or "start")


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


# ---- SVG -------------------------------------------------------------------------------------------------------------


def svg(
    workflow: Workflow, language: str, visited: Sequence[str] = (), here: str | None = None, dispute: str | None = None,
    counts: Mapping[str, int] = EMPTY,
) -> str:  # fmt: skip
    """The chart as an SVG document 1400 px wide. `visited`: the states a finding has been in, in order; `here` and
    `dispute`: where it stands now; `counts`: how many findings stand in each state.
    """
    drawn, marks = sketch(workflow, language), _marks(visited, here, dispute, counts)
    placed = layout(drawn, TOP)
    colours = _colours(placed)
    body = [
        *_head(drawn, workflow.version, marks),
        *(_frame(frame, language) for frame in placed.frames),
        *(_arrow(arrow, colours, marks) for arrow in sorted(placed.arrows, key=marks.walked)),
        *(_card(card, colours, marks) for card in placed.cards),
        *(_line(line, colours) for frame in placed.frames for line in frame.lines),
    ]
    height = placed.height
    title = escape(HEADLINE.in_(language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{height:g}" '
        f'viewBox="0 0 {WIDTH:g} {height:g}" role="img" lang="{"en" if language == "en" else "zh-CN"}">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}\n</style>\n{_heads(colours)}\n"
        f'<rect width="{WIDTH:g}" height="{height:g}" fill="{PAPER}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _colours(placed: Layout) -> dict[str, str]:
    """One colour for each stage; arrows wear that of the stage they lead to."""
    names = list(dict.fromkeys(frame.name for frame in placed.frames))
    of_stage = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    at = {(frame.band, frame.column): frame.name for frame in placed.frames}
    return {card.name: of_stage[at[card.band, card.column]] for card in placed.cards}


def _heads(colours: Mapping[str, str]) -> str:
    heads = [
        f'<marker id="to-{colour[1:]}" markerWidth="7" markerHeight="7" refX="6" refY="3.5" orient="auto" '
        f'markerUnits="userSpaceOnUse"><path d="M0 0 L7 3.5 L0 7 z" fill="{colour}"/></marker>'
        for colour in dict.fromkeys(colours.values())
    ]
    return f"<defs>{''.join(heads)}</defs>"


def _text(x: float, y: float, text: str, kind: str = "text", *, anchor: str = "start", fill: str = "") -> str:
    colour = f' style="fill:{fill}"' if fill else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" class="{kind}"{where}{colour}>{escape(text)}</text>'


def _rect(box: Box, kind: str, radius: float = 6) -> str:
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="{radius:g}" '
        f"class={quoteattr(kind)}/>"
    )


def _head(drawn: Sketch, version: str, marks: Marks) -> list[str]:
    """The headline, what most states have in common, and what the marks mean."""
    language = drawn.language
    common = " · ".join(f"{e.text} → {e.target_text}" for e in drawn.common)
    found = [
        _text(MARGIN, 30, f"{HEADLINE.in_(language)} · {VERSION.in_(language)} {version}", "stage"),
        _text(MARGIN, 52, f"{COMMON.in_(language)} {common}" if common else ""),
    ]
    entries = [("system", BY_SYSTEM.in_(language))]
    entries += [("been", BEEN_HERE.in_(language))] if marks.visited else []
    entries += [("here", IS_HERE.in_(language))] if marks.here else []
    entries += [("count", COUNTED.in_(language))] if marks.counts else []
    x = WIDTH - MARGIN
    for kind, text in reversed(entries):
        x -= text_width(text, TEXT_SIZE)
        found.append(_text(x, 30, text))
        x -= 34
        found.append(_sample(kind, x))
        x -= 16
    return found


def _sample(kind: str, x: float) -> str:
    if kind == "system":
        return f'<path d="M{x:g} 26 h28" class="arrow system" stroke="{INK}"/>'
    if kind == "count":
        return _badge(x + 28, 18, "7")
    return _rect(Box(x, 19, 28, 14), f"card {kind}", 4)


def _frame(frame: Placed, language: str) -> str:
    title = frame.frame.title if frame.frame else ""
    found = [_rect(frame.box, "frame", 10), _text(frame.box.x + PAD + 2, frame.box.y + 19, title, "stage")]
    if frame.lines:
        found.append(_text(frame.box.x + PAD + 2, frame.lines[0].box.y - 4, ANY_STEP.in_(language), "small"))
    return "".join(found)


def _card(place: Placed, colours: Mapping[str, str], marks: Marks) -> str:
    card, box = place.card, place.box
    if card is None:
        return ""
    kinds = ["card", *(["end"] if card.end else [])]
    kinds += ["here"] if card.name in marks.here else ["been"] if card.name in marks.visited else []
    count = str(marks.counts[card.name]) if card.name in marks.counts else ""
    room = box.width - 16 - (_badge_width(count) + 4 if count else 0)
    found = [_rect(box, " ".join(kinds)), _text(box.x + 8, box.y + 17, fitted(card.title, TITLE_SIZE, room), "title")]
    for row, small in enumerate(subtitle(card, card.waits, box.width)):
        found.append(_text(box.x + 8, box.y + 31 + row * SUBTITLE, small, "small"))
    if count:
        found.append(_badge(box.right - 8, box.y + 4, count))
    found += [_line(line, colours) for line in place.lines]
    return "".join(found)


def _badge_width(count: str) -> float:
    return text_width(count, TEXT_SIZE) + 12


def _badge(right: float, top: float, count: str) -> str:
    width = _badge_width(count)
    box = f'<rect x="{right - width:g}" y="{top:g}" width="{width:g}" height="16" rx="8" fill="{INK}"/>'
    return box + _text(right - width / 2, top + 12, count, anchor="middle", fill=PAPER)


def _line(line: Line, colours: Mapping[str, str]) -> str:
    """The name of the action and, each in the colour of its stage, the states it leads to."""
    one, box = line.exit, line.box
    wears = dict(zip(one.told, one.targets, strict=False))
    found = [_text(box.x + 8, box.y + 11, fitted(one.text, TEXT_SIZE, box.width - 16))]
    for row, told in enumerate(line.told):
        names = [
            f'<tspan style="fill:{FAINT if one.returns else colours.get(wears[name], INK)}">{escape(name)}</tspan>'
            for name in told
        ]
        if names:
            y, arrow = box.y + 11 + row * (ROW - 2), "↩" if one.returns else "→"
            where = f'x="{box.right - 8:g}" y="{y:g}" class="small" text-anchor="end"'
            found.append(f"<text {where}>{arrow} {' / '.join(names)}</text>")
    return "".join(found)


def _arrow(arrow: Arrow, colours: Mapping[str, str], marks: Marks) -> str:
    colour = colours[arrow.target]
    kinds = [
        "arrow",
        *(["system"] if arrow.exit.by_system else []),
        *(["walked"] if marks.walked(arrow) else []),
    ]
    tip = f"{arrow.exit.text} → {arrow.target}"
    return (
        f'<path d="{rounded(arrow.corners)}" class="{" ".join(kinds)}" stroke="{colour}" '
        f'marker-end="url(#to-{colour[1:]})"><title>{escape(tip)}</title></path>'
    )


def rounded(corners: Collection[tuple[float, float]]) -> str:
    """A path through `corners` with small round bends."""
    points = list(corners)
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(here, before), _towards(here, after)
        path.append(f"L{into[0]:g} {into[1]:g} Q{here[0]:g} {here[1]:g} {out[0]:g} {out[1]:g}")
    path.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return " ".join(path)


def _towards(here: tuple[float, float], there: tuple[float, float], radius: float = 4.0) -> tuple[float, float]:
    dx, dy = there[0] - here[0], there[1] - here[1]
    length = max(abs(dx), abs(dy))
    share = min(radius, length / 2) / length if length else 0.0
    return here[0] + dx * share, here[1] + dy * share
