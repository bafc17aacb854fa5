"""Guards that several systems share. A guard answers None when it holds, or the sentence that says what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from loop.kernel import facts
from loop.kernel.calendar import end_day, local_day
from loop.kernel.case import Case
from loop.kernel.labels import Label
from loop.kernel.people import CHIEF, DIRECTOR
from loop.kernel.workflow import Guard


def guard(code: str, zh: str, en: str, holds: Callable[[Case], bool], *, reads: bool = False, needs: str = "") -> Guard:
    """A guard with one fixed sentence: `holds` says whether it is satisfied."""
    label = Label(zh, en)
    return Guard(code, label, lambda case: None if holds(case) else label, reads, frozenset(needs.split()))


def asks(code: str, zh: str, en: str, test: Callable[[Case], Label | None], *, needs: str = "") -> Guard:
    """A guard on the payload that words its own refusal; (zh, en) is its name in lists."""
    return Guard(code, Label(zh, en), test, True, frozenset(needs.split()))


def asks_beforehand(code: str, zh: str, en: str, test: Callable[[Case], Label | None]) -> Guard:
    """The same, for a test that already knows without a payload when nothing can come of the action."""
    return Guard(code, Label(zh, en), test)


def listed(numbers: Iterable[object]) -> str:
    """Numbers as people list them."""
    return ", ".join(str(n) for n in numbers)


# ---- who signs -----------------------------------------------------------------------------------------------------

government_needs_director = guard(
    "government_needs_director",
    "被督导单位是政府，须由督导委主任或副主任签发。",
    "The unit is a government: the director must sign.",
    lambda case: case.capacity.name == (DIRECTOR if case.finding.of_government else CHIEF),
)

major_needs_chief = guard(
    "major_needs_chief",
    "较重或严重的问题，须由督导办负责人办理；一般问题由经办人办理。",
    "A major or grave finding is the chief's to decide; a normal one the officer's.",
    lambda case: case.capacity.name == (CHIEF if case.finding.major else "officer"),
)

not_the_author = guard(
    "not_the_author",
    "登记人不能审核自己登记的问题，请由另一位负责人办理。",
    "The author may not decide on this finding; another chief must.",
    lambda case: not case.persons & {case.finding.sheet.get("author"), *(case.finding.sheet.get("authors") or ())},
)

not_a_reviewer = guard(
    "not_a_reviewer",
    "参加过本次复查的人不能办理销号，请由另一位负责人办理。",
    "A reviewer of this finding may not write it off; another person must.",
    lambda case: not case.persons & set(case.finding.sheet.get("reviewed_by") or ()),
)

judge_not_recused = guard(
    "judge_not_recused",
    "您与该单位有应当回避的情形，请由他人办理。",
    "You must stay out of matters of this unit; somebody else must judge.",
    lambda case: not case.facts.recused,
    needs=facts.RECUSAL,
)


# ---- dates ---------------------------------------------------------------------------------------------------------


def not_in_future(name: str, zh: str, en: str) -> Guard:
    """The date `name` of the payload must not lie after today."""
    return guard(
        f"{name}_not_in_future",
        f"{zh}不能晚于今天。",
        f"{en} must not lie in the future.",
        lambda case: (day := getattr(case.payload, name)) is None or day <= case.today,
        reads=True,
    )


def not_before_discovery(name: str, zh: str, en: str) -> Guard:
    """The date `name` of the payload must not lie before the problem was found: a mistyped year would end windows at once."""

    def holds(case: Case) -> bool:
        opened_on = local_day(case.finding.opened_at, case.calendar)
        found_on = case.finding.sheet.get("found_on")
        earliest = min(date.fromisoformat(str(found_on)), opened_on) if found_on else opened_on
        return (day := getattr(case.payload, name)) is None or day >= earliest

    return guard(
        f"{name}_not_before_discovery",
        f"{zh}不能早于发现问题之日。",
        f"{en} must not lie before the problem was found.",
        holds,
        reads=True,
    )


def within_the_stage(name: str, clock: str, zh: str, en: str) -> Guard:
    """The date `name` of the payload must lie between the day on which `clock` began and today."""

    def holds(case: Case) -> bool:
        timer, day = case.finding.timer(clock), getattr(case.payload, name)
        earliest = timer.started_on if timer else local_day(case.finding.opened_at, case.calendar)
        return day is None or earliest <= day <= case.today

    return guard(
        f"{name}_within_the_stage",
        f"{zh}应在本环节开始之日和今天之间。",
        f"{en} must lie between the beginning of this stage and today.",
        holds,
        reads=True,
    )


FEEDBACK_DAY = (
    not_in_future("fed_back_on", "反馈日期", "The day of feedback"),
    not_before_discovery("fed_back_on", "反馈日期", "The day of feedback"),
)


def later_than_today(name: str, zh: str, en: str) -> Guard:
    """The date `name` of the payload must lie after today."""
    return guard(
        f"{name}_in_future",
        f"{zh}必须晚于今天。",
        f"{en} must lie after today.",
        lambda case: (day := getattr(case.payload, name)) is None or day > case.today,
        reads=True,
    )


rectify_by_later = later_than_today("rectify_by", "整改期限", "The date to rectify by")
new_date_later = later_than_today("new_date", "新的期限", "The new date")


def last_day(case: Case, key: str, start: date | None = None) -> date:
    """The last day of the rule `key` counted from `start` (default: today)."""
    rule = case.rule(key)
    return end_day(start or case.today, rule.number, rule.unit, case.calendar)


def rectify_key(case: Case) -> str:
    """The rule that gives the time to rectify where no date was set."""
    if case.finding.long_term:
        return "rectify_by_long_term"
    return "rectify_by_major" if case.finding.major else "rectify_by"


# ---- write-off -----------------------------------------------------------------------------------------------------

no_open_tip_off = guard(
    "no_open_tip_off",
    "还有关于此问题的举报没有答复，答复后才能办理。",
    "A tip-off on this matter is still unanswered; answer it first.",
    lambda case: case.facts.tip_offs == 0,
    needs=facts.TIP_OFFS,
)

every_item_done = guard(
    "every_item_done",
    "整改报告中还有未完成的事项，全部完成后才能销号。",
    "The rectification report still has items that are not done.",
    lambda case: all(item["status"] == "done" for item in case.finding.part("report").get("items", ())),
)

none_in_the_ends = guard(
    "not_withdrawn", "问题已撤销。", "The finding has been withdrawn.", lambda case: case.finding.state != "withdrawn"
)


# ---- evidence and people ---------------------------------------------------------------------------------------------


def _missing_files(case: Case, ids: Iterable[str]) -> Label | None:
    strangers = sorted(set(ids) - case.facts.attachments)
    if not strangers:
        return None
    return Label(
        f"这些附件不属于此问题，请先上传：{listed(strangers)}。",
        f"These attachments do not belong to this finding, upload them first: {listed(strangers)}.",
    )


def files_attached(*names: str) -> Guard:
    """Every attachment named in these payload fields belongs to the finding."""

    def test(case: Case) -> Label | None:
        return _missing_files(case, (i for name in names for i in getattr(case.payload, name)))

    return asks("files_attached", "附件已上传", "attachments are uploaded", test, needs=facts.ATTACHMENTS)


def _named(case: Case, name: str) -> list[str]:
    """The sign-in names in this payload field: one, a list of them, or none."""
    value = getattr(case.payload, name)
    return [n for n in ([value] if isinstance(value, str) else value or ()) if n]


def known_people(name: str) -> Guard:
    """Everybody named in this payload field (a sign-in name or a list of them) holds an account."""

    def test(case: Case) -> Label | None:
        strangers = [n for n in _named(case, name) if n not in case.facts.people]
        if not strangers:
            return None
        return Label(f"没有这些账号：{listed(strangers)}。", f"No account has these names: {listed(strangers)}.")

    return asks("known_people", "账号存在", "the accounts exist", test, needs=facts.PEOPLE)


def of_the_office(name: str) -> Guard:
    """Everybody named in this payload field holds an office role at the finding's own office or at one above it."""

    def test(case: Case) -> Label | None:
        outsiders = [n for n in _named(case, name) if (p := case.facts.people.get(n)) and not p.roles]
        if not outsiders:
            return None
        return Label(
            f"不是本级或上级督导机构人员：{listed(outsiders)}。",
            f"Not of this office or one above: {listed(outsiders)}.",
        )

    return asks(f"{name}_of_the_office", "督导机构人员", "people of the office", test, needs=facts.PEOPLE)


def none_recused(name: str) -> Guard:
    """Nobody named in this payload field has a ground to stay out."""

    def test(case: Case) -> Label | None:
        barred = [p for n in getattr(case.payload, name) if (p := case.facts.people.get(n)) and p.recused]
        if not barred:
            return None
        return Label(
            "须回避：" + "；".join(f"{p.full_name}（{p.recused}）" for p in barred) + "。",
            "Recused: " + "; ".join(f"{p.full_name} ({p.recused})" for p in barred) + ".",
        )

    return asks("none_recused", "无须回避", "nobody is recused", test, needs=facts.PEOPLE)


def person_ids(case: Case, names: Iterable[str]) -> list[str]:
    """The ids of account holders by their sign-in names, in order, each once."""
    return list(dict.fromkeys(case.facts.people[name].id for name in names))
