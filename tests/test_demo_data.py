"""The demonstration's data: complete, in the allowed codes, on one region tree, and free of every original name.

How the masking is proved. The names that were taken out cannot stand here in clear, so
`tests/data/masked_names.sha256` holds, one a line, the length of a name and the first 16 hex digits of its SHA-256
(NFKC, stripped). The test cuts every line of every file under `loop/demo` into windows of those lengths, and no
window may be on the list. The list holds:

- every unit, county, authority, responsible unit and source title of the original findings, whole and in its parts
  ("A、B" is A and B), and the distinctive stem of a school, town or company name where it has at least two characters;
- every county-level division of China, with and without its suffix, so that the list does not tell which of them
  the findings come from, and no real county can slip in later.

Left out are what cannot betray anyone: generic words (学校, 教育局, 县政府, 省教育厅, 总务处 …), province and
prefecture names themselves, county stems that are everyday words or lie inside a province or prefecture name
(公安, 和平, 河南; the full name stays), and every name that contains a shorter one on the list, for whoever writes
it writes the shorter one too. A hit in new text means: choose another word.
"""

import hashlib
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from loop.demo.samples import RegionRow, regions, samples

HERE = Path(__file__).parent
DEMO = HERE.parent / "loop" / "demo"

KINDS = {"comprehensive": 46, "special": 166, "routine": 17, "monitoring": 6, "tip_off": 49}
CATEGORIES = {
    "funding": 13,
    "staffing": 10,
    "pay": 5,
    "facilities": 30,
    "campus_safety": 65,
    "health_canteen": 20,
    "double_reduction": 9,
    "five_managements": 11,
    "off_campus_training": 10,
    "irregular_running": 36,
    "enrolment": 8,
    "curriculum": 0,
    "preschool": 23,
    "ethics": 6,
    "dropout_aid": 3,
    "special_education": 3,
    "party_moral": 5,
    "governance": 27,
}
SEVERITIES = {"grave": 87, "major": 116, "normal": 75, None: 6}
UNIT_TYPES = {
    "政府": 63,
    "教育部门": 10,
    "幼儿园": 39,
    "小学": 32,
    "初中": 17,
    "高中": 16,
    "完全中学": 2,
    "中职": 2,
    "学校": 94,
    "培训机构": 9,
}
PROVINCES = {
    "": 80,
    "河南省": 29,
    "福建省": 17,
    "安徽省": 17,
    "重庆市": 14,
    "海南省": 12,
    "河北省": 11,
    "贵州省": 10,
    "湖北省": 10,
    "内蒙古自治区": 9,
    "湖南省": 9,
    "山西省": 8,
    "四川省": 7,
    "云南省": 7,
    "陕西省": 6,
    "浙江省": 6,
    "广西壮族自治区": 6,
    "江苏省": 5,
    "上海市": 5,
    "山东省": 5,
    "西藏自治区": 5,
    "江西省": 4,
    "黑龙江省": 2,
}
OUTCOMES = {"done": 16, "phase_done": 12, "not_done": 10, None: 246}
PARENT_LEVELS: dict[str, set[str | None]] = {
    "country": {None},
    "province": {"country"},
    "prefecture": {"province"},
    "county": {"province", "prefecture"},
    "township": {"county"},
}


def _tree() -> dict[str, RegionRow]:
    return {row.code: row for row in regions()}


def _line_up(code: str) -> list[RegionRow]:
    """Return the region and all above it, the country last."""
    tree, line = _tree(), []
    step: str | None = code
    while step:
        line.append(tree[step])
        step = tree[step].parent_code
    return line


# ------------------------------------------------------------------------------------------------- findings


def test_there_are_284_findings_numbered_in_order() -> None:
    assert [sample.seq for sample in samples()] == list(range(1, 285))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("kind", KINDS),
        ("category", CATEGORIES),
        ("severity", SEVERITIES),
        ("unit_type", UNIT_TYPES),
        ("province", PROVINCES),
        ("outcome", OUTCOMES),
    ],
)
def test_the_counts_are_those_of_the_sources(field: str, expected: dict[str | None, int]) -> None:
    counted = Counter(getattr(sample, field) for sample in samples())
    assert dict(counted) == {code: number for code, number in expected.items() if number}


def test_only_the_commended_have_no_severity() -> None:
    assert sum(sample.positive for sample in samples()) == 6
    assert all((sample.severity is None) == sample.positive for sample in samples())


def test_a_unit_is_a_government_a_department_or_a_school_by_its_type() -> None:
    kinds = {"政府": "government", "教育部门": "department"}
    assert all(sample.unit_kind == kinds.get(sample.unit_type, "school") for sample in samples())


def test_texts_are_short_where_they_must_be_and_never_padded() -> None:
    for sample in samples():
        assert 0 < len(sample.title) <= 40
        assert sample.description
        assert sample.unit_name
        for text in (sample.title, sample.description, sample.requirement, sample.measure, sample.outcome_note):
            assert text == text.strip()
            assert "〔" not in text


def test_dates_are_whole_days_of_the_past() -> None:
    known = [sample.found_on for sample in samples() if sample.found_on]
    assert len(known) == 153
    assert min(known) == date(2003, 8, 10)
    assert max(known) == date(2026, 1, 22)


def test_a_unit_stays_one_unit() -> None:
    """A stand-in names one unit: it keeps region, kind and type wherever it comes again."""
    seen: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for sample in samples():
        seen.setdefault((sample.region, sample.unit_name), set()).add((sample.unit_kind, sample.unit_type))
    assert all(len(kinds) == 1 for kinds in seen.values())
    assert len({name for _, name in seen}) == len(seen)


# -------------------------------------------------------------------------------------------------- regions


def test_the_real_divisions_are_complete() -> None:
    """34 province-level; 333 prefecture-level: 293 cities, 7 prefectures, 30 autonomous prefectures, 3 leagues."""
    real = [row for row in regions() if not row.invented]
    assert Counter(row.level for row in real) == {"country": 1, "province": 34, "prefecture": 333}
    endings = Counter(
        next(end for end in ("自治州", "地区", "盟", "市") if row.name.endswith(end))
        for row in real
        if row.level == "prefecture"
    )
    assert endings == {"市": 293, "地区": 7, "自治州": 30, "盟": 3}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("110000", "北京市"),
        ("330100", "杭州市"),
        ("371700", "菏泽市"),
        ("460400", "儋州市"),
        ("540600", "那曲市"),
        ("654300", "阿勒泰地区"),
        ("152900", "阿拉善盟"),
        ("710000", "台湾省"),
        ("810000", "香港特别行政区"),
        ("820000", "澳门特别行政区"),
    ],
)
def test_a_real_division_has_its_national_code(code: str, name: str) -> None:
    assert (_tree()[code].name, _tree()[code].invented) == (name, False)


def test_codes_and_real_names_are_unique() -> None:
    assert len(_tree()) == len(regions())
    assert len({row.name for row in regions()}) == len(regions())


def test_the_regions_are_one_tree_with_parents_first() -> None:
    known: dict[str, RegionRow] = {}
    for row in regions():
        above = known[row.parent_code].level if row.parent_code else None
        assert above in PARENT_LEVELS[row.level], row
        assert row.parent_code is None or row.level == "province" or row.code.startswith(_stem(known[row.parent_code]))
        known[row.code] = row
    assert [row.code for row in regions() if row.parent_code is None] == ["100000"]


def _stem(parent: RegionRow) -> str:
    return {"province": parent.code[:2], "prefecture": parent.code[:4]}.get(parent.level, parent.code)


def test_counties_and_townships_are_invented_and_lie_outside_the_national_codes() -> None:
    for row in regions():
        if row.level in {"county", "township"}:
            assert row.invented
            assert row.code.startswith("99") or row.code[4] == "9", row


def test_a_finding_lies_where_it_says() -> None:
    for sample in samples():
        line = {row.level: row for row in _line_up(sample.region)}
        assert line["country"].code == "100000"
        if sample.province:
            assert not line["province"].invented
            assert line["province"].name == sample.province, sample
            assert (line["prefecture"].name if "prefecture" in line else "") == sample.city, sample
        else:
            assert line["province"].invented, sample


# -------------------------------------------------------------------------------------------------- masking


def _masked() -> dict[int, set[str]]:
    masked: dict[int, set[str]] = {}
    for line in (HERE / "data" / "masked_names.sha256").read_text(encoding="ascii").splitlines():
        length, digest = line.split()
        masked.setdefault(int(length), set()).add(digest)
    return masked


def _names_in(text: str) -> set[str]:
    """Return every masked name that stands in `text`."""
    masked, lines = _masked(), {unicodedata.normalize("NFKC", line).strip() for line in text.splitlines()}
    windows = {
        (size, line[start : start + size])
        for line in lines
        if not line.isascii()
        for size in masked
        for start in range(len(line) - size + 1)
    }
    return {name for size, name in windows if hashlib.sha256(name.encode()).hexdigest()[:16] in masked[size]}


def test_the_list_of_masked_names_is_whole() -> None:
    """The search can find: it holds the thousands of counties, and knows one of them in running text."""
    assert sum(map(len, _masked().values())) > 3000
    assert _names_in("今天去了余杭区，明天去慈溪") == {"余杭", "慈溪"}


@pytest.mark.parametrize(
    "path",
    sorted(path for path in DEMO.rglob("*") if path.is_file() and "__pycache__" not in path.parts),
    ids=lambda path: path.name,
)
def test_no_original_name_is_shipped(path: Path) -> None:
    assert _names_in(path.read_text(encoding="utf-8")) == set()
