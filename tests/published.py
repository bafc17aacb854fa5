"""The arrangement of 2026 as published, spelled by hand, and a table of periods that rest on it."""

from datetime import date, timedelta

from hypothesis import strategies as st

from loop.calendars import build, parse_notice
from loop.kernel.calendar import Day

MAKEUPS_2026 = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")
OFF_2026 = (
    ("元旦", "2026-01-01", 3),
    ("春节", "2026-02-15", 9),
    ("清明节", "2026-04-04", 3),
    ("劳动节", "2026-05-01", 5),
    ("端午节", "2026-06-19", 3),
    ("中秋节", "2026-09-25", 3),
    ("国庆节", "2026-10-01", 7),
)


def on(text: str) -> date:
    return date.fromisoformat(text)


def days_off_2026() -> set[date]:
    return {on(first) + timedelta(days=n) for _, first, length in OFF_2026 for n in range(length)}


def notice_2026() -> list[Day]:
    """The arrangement of 2026 as published, spelled by hand, so that an older library does for these tests."""
    lines = ["day,kind,name"]
    lines += [f"{day},makeup,调休上班" for day in MAKEUPS_2026]
    for name, first, length in OFF_2026:
        lines += [f"{on(first) + timedelta(days=n)},holiday,{name}" for n in range(length)]
    return parse_notice("\n".join(lines))


PUBLISHED = build(notice_2026())
SOME_DAY = st.dates(date(2019, 1, 1), date(2028, 12, 31))

PERIODS = [
    # calendar days: the day of the event does not count, an end on a rest day moves on
    ("2026-03-02", 10, "d", "2026-03-12"),
    ("2026-03-04", 10, "d", "2026-03-16"),  # Saturday the 14th
    ("2026-02-04", 10, "d", "2026-02-14"),  # a Saturday that is worked
    ("2026-02-05", 10, "d", "2026-02-24"),  # the first day of the Spring Festival, nine days off
    ("2026-09-01", 30, "d", "2026-10-08"),  # National Day
    ("2026-09-10", 30, "d", "2026-10-10"),
    ("2025-12-22", 10, "d", "2026-01-04"),  # New Year, and the Sunday after it is worked
    ("2026-03-07", 0, "d", "2026-03-09"),
    # working days, make-up weekends counted
    ("2026-02-13", 1, "wd", "2026-02-14"),
    ("2026-02-13", 2, "wd", "2026-02-24"),
    ("2026-02-13", 5, "wd", "2026-02-27"),
    ("2026-02-13", 6, "wd", "2026-02-28"),
    ("2026-02-13", 15, "wd", "2026-03-12"),
    ("2026-02-18", 1, "wd", "2026-02-24"),  # an event in the middle of the holiday
    ("2026-09-30", 3, "wd", "2026-10-10"),
    ("2025-12-31", 1, "wd", "2026-01-04"),
    ("2025-12-31", 5, "wd", "2026-01-08"),
    ("2026-03-07", 0, "wd", "2026-03-09"),
    # months: the corresponding day or the month's last
    ("2026-01-31", 1, "mo", "2026-02-28"),  # a Saturday that is worked
    ("2025-01-31", 1, "mo", "2025-02-28"),
    ("2024-01-31", 1, "mo", "2024-02-29"),
    ("2025-12-31", 2, "mo", "2026-02-28"),
    ("2026-03-31", 1, "mo", "2026-04-30"),
    ("2026-03-30", 1, "mo", "2026-04-30"),
    ("2026-04-30", 1, "mo", "2026-06-01"),  # Saturday 30 May
    ("2025-08-15", 6, "mo", "2026-02-24"),
    ("2024-02-29", 12, "mo", "2025-02-28"),
    ("2025-11-30", 3, "mo", "2026-02-28"),
]
