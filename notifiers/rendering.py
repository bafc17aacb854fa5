"""A letter in words for each sort of channel: markdown, plain text, HTML, one line. Pure: no channel is known here.

As many notices as fit stand whole, urgent ones first; the rest is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from itertools import accumulate
from urllib.parse import quote

from loop.kernel.labels import Label
from loop.kernel.messages import Letter, Notice
from loop.kernel.wording import headline_within, paragraph
from notifiers.words import Measure, cut, guarded, one_line, utf8, utf16

Block = Callable[[Notice], str]

URGENT = Label("【紧急】", "[Urgent] ")
OPEN = Label("查看", "Open")
MORE = Label("另有 {n} 项，请登录查看", "and {n} more; sign in to see them")
NEWS = Label("教育督导整改：有新的通知", "Education supervision: you have a new notice")
BETWEEN = Label("", " ")
"""What stands between two sentences on one line."""
SHORT, LONGEST = 70, 140
"""Characters of a notice on one line as they should be (Chinese), and as they may be."""

SHORTENED = (400, 200, 100, 50, 20)
"""Characters that each text of a notice keeps where not even one notice fits whole: the first that fits is taken."""


def subject(letter: Letter) -> str:
    """The subject on one line; a general one where the letter has none."""
    return one_line(letter.subject) or NEWS.in_(letter.language)


def urgent(letter: Letter) -> bool:
    """Whether anything in the letter is urgent."""
    return any(notice.urgent for notice in letter.notices)


def markdown(letter: Letter, limit: int, *, measure: Measure = utf8, newline: str = "\n") -> str:
    """Bold headings and links only, which every robot knows; `newline` is how a line ends within a notice."""

    def block(notice: Notice) -> str:
        head, *lines = _lines(notice, letter.language, guarded)
        url = _link(notice.url)
        link = [f"[{OPEN.in_(letter.language)}]({url})"] if url else []
        return newline.join([f"**{head}**", *lines, *link])

    return _fitted(letter, f"**{guarded(subject(letter))}**", block, limit, measure)


def plain(letter: Letter, limit: int, *, clean: Callable[[str], str] = one_line) -> str:
    """Lines of text; `clean` is what is done to each text that somebody wrote."""

    def block(notice: Notice) -> str:
        return "\n".join([*_lines(notice, letter.language, clean), *filter(None, [_link(notice.url)])])

    return _fitted(letter, clean(subject(letter)), block, limit, utf8)


def html(letter: Letter, limit: int) -> str:
    """A whole page that needs nothing from elsewhere."""

    def block(notice: Notice) -> str:
        head, *lines = (escape(line) for line in _lines(notice, letter.language, one_line))
        body = "".join(f'<p style="margin:4px 0">{line}</p>' for line in lines)
        url = _link(notice.url)
        link = f'<p style="margin:4px 0"><a href="{escape(url)}">{OPEN.in_(letter.language)}</a></p>' if url else ""
        return f'<div style="margin:0 0 20px"><h2 style="font-size:16px;margin:0 0 6px">{head}</h2>{body}{link}</div>'

    title = escape(subject(letter))
    before = (
        f'<!DOCTYPE html><html lang="{"en" if letter.language == "en" else "zh-CN"}"><head><meta charset="utf-8">'
        f'<title>{title}</title></head><body style="font-family:sans-serif;font-size:14px;line-height:1.6">\n'
    )
    after = "\n</body></html>\n"
    opening = f'<h1 style="font-size:18px">{title}</h1>'
    return before + _fitted(letter, opening, block, limit - utf8(before + after), utf8, _paragraph) + after


def line(letter: Letter, longest: int) -> str:
    """One line of at most `longest` characters as telephones count them."""
    notices, language = _by_urgency(letter.notices), letter.language
    if not notices:
        return cut(subject(letter), longest, utf16)
    rest = len(notices) - 1
    text = _in_a_line(notices[0], longest - utf16(_tail(rest, language)), language)
    for another in notices[1:]:
        longer = text + BETWEEN.in_(language) + _in_a_line(another, longest, language)
        if utf16(longer + _tail(rest - 1, language)) > longest:
            break
        text, rest = longer, rest - 1
    # Where more than one thing is told, the address of one of them would lead astray.
    url = _link(notices[0].url) if len(notices) == 1 else ""
    with_url = f"{text} {url}"
    return with_url if url and utf16(with_url) <= longest else text + _tail(rest, language)


# ---- one notice ------------------------------------------------------------------------------------------------------


def _by_urgency(notices: Sequence[Notice]) -> list[Notice]:
    return sorted(notices, key=lambda notice: not notice.urgent)


def _mark(notice: Notice, language: str) -> str:
    return URGENT.in_(language) if notice.urgent else ""


def _in_a_line(notice: Notice, room: int, language: str) -> str:
    """What happened and by when, or else what to do. The unit and the title give way to it, then what happened does."""
    mark, (head, said, due, ask) = _mark(notice, language), map(one_line, _texts(notice))
    pressing, most = due or ask, min(room, LONGEST)

    def told(shown: str, *parts: str) -> str:
        return mark + paragraph(shown, parts, language)

    number = headline_within(head, 0, language)
    parts = (said, pressing) if utf16(told(number, said, pressing)) <= most else (pressing or said,)
    goal = min(SHORT, most) if language == "zh" and utf16(told(number, *parts)) <= SHORT else most
    return cut(told(headline_within(head, goal - utf16(told("", *parts)), language), *parts), most, utf16)


def _lines(notice: Notice, language: str, clean: Callable[[str], str]) -> list[str]:
    """The headline, and below it what happened, by when, and what to do."""
    head = _mark(notice, language) + clean(notice.headline)
    return [head, *(clean(text) for text in _texts(notice)[1:] if text)]


def _texts(notice: Notice) -> tuple[str, str, str, str]:
    return notice.headline, notice.said, notice.due, notice.ask


def _link(url: str) -> str:
    """The address with nothing in it that could end a link or begin another; empty where it is none."""
    return quote(url, safe="/:?#@!$&'*+,;=%~-._[]", errors="replace") if re.match(r"https?://[^/\s]", url) else ""


# ---- many ------------------------------------------------------------------------------------------------------------


def _tail(left_out: int, language: str) -> str:
    return BETWEEN.in_(language) + MORE.filled(n=left_out).in_(language) if left_out else ""


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _fitted(
    letter: Letter, opening: str, block: Block, limit: int, measure: Measure, clean: Callable[[str], str] = str
) -> str:
    """The opening where there is more or less than one notice, then the notices that fit, then how many did not."""
    gap, notices = "\n\n", _by_urgency(letter.notices)
    start = "" if len(notices) == 1 else opening + gap * bool(notices)

    def ended(text: str, shown: int) -> str:
        left = len(notices) - shown
        return text + gap + clean(MORE.filled(n=left).in_(letter.language)) if left else text

    blocks = [block(notice) for notice in notices]
    sizes = list(accumulate((measure(gap + text) for text in blocks), initial=measure(start) - measure(gap)))
    for shown in range(len(blocks), 0, -1):
        end = measure(ended("", shown))
        if sizes[shown] + end <= limit:
            return ended(start + gap.join(blocks[:shown]), shown)
    for most in SHORTENED if notices else ():
        text = ended(start + block(_shortened(notices[0], most)), 1)
        if measure(text) <= limit:
            return text
    return cut(start, limit, measure) if not notices else cut(guarded(notices[0].headline), limit, measure)


def _shortened(notice: Notice, most: int) -> Notice:
    return replace(
        notice,
        headline=cut(one_line(notice.headline), most), said=cut(one_line(notice.said), most),
        due=cut(one_line(notice.due), most), ask=cut(one_line(notice.ask), most),
        url=notice.url if len(notice.url) <= most else "",
    )  # fmt: skip
