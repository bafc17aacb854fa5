"""Search by characters and pairs: short, long and rare words, mixed scripts, and what SQL would take for its own."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from loop.kernel.errors import Invalid
from loop.store import places, search
from loop.store.core import table_of
from loop.store.session import Store, Tx
from loop.store.tables import FindingRow
from tests.small_country import BY, found, put_searchable

FINDING = table_of(FindingRow)
TEXTS = {
    1: "教学楼安全出口不足且过窄",
    2: "食堂卫生许可证过期，留样不规范",
    3: "校园安全责任书未签订",
    4: "安装监控设备全部损坏",
    5: "生均公用经费挪用 ABC-2026 项目 50%",
    6: "ＡＢＣ＿２０２７ 实验室",
    7: 'it\'s a "quoted" title; DROP TABLE finding',
    8: "𠮷野家校区与㐂乐分校",
    9: "path\\to_file 100% a_b",
    10: "",
}


@pytest.fixture
def shelf(store: Store) -> Store:
    def fill(tx: Tx) -> None:
        for id_, title in TEXTS.items():
            put_searchable(
                tx, id_, title, unit_name="云溪县第三中学" if id_ == 4 else "桐峰小学", description="说明" * id_
            )

    store.write(fill)
    return store


def ask(store: Store, q: str) -> set[int]:
    """By both ways of asking, which must agree."""
    by_grams = select(FINDING.c.id).where(search.condition(q, store.dialect))
    by_check = select(FINDING.c.id).where(search.check(q))
    first, second = store.read(lambda tx: (tx.select(by_grams), tx.select(by_check)))
    assert sorted(first) == sorted(second)
    return {row[0] for row in first}


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("窄", {1}),
        ("安", {1, 3, 4}),
        ("安全", {1, 3}),
        ("安全出口", {1}),
        ("出口不足且过窄", {1}),
        ("安全口", set()),
        ("安全 责任", {3}),
        ("责任　安全", {3}),
        ("全安", set()),
        ("第三中学", {4}),
        ("F-000002", {2}),
        ("f-000002", {2}),
        ("abc", {5, 6}),
        ("ＡＢＣ-2026", {5}),
        ("abc_2027", {6}),
        ("c-2", {5}),
        ("%", {5, 9}),
        ("50%", {5}),
        ("_", {6, 9}),
        ("a_b", {9}),
        ("axb", set()),
        ("\\", {9}),
        ("'", {7}),
        ('"', {7}),
        ('"quoted"', {7}),
        ("DROP TABLE", {7}),
        ("' OR '1'='1", set()),
        ("AND OR NOT", set()),
        ("grams:安", set()),
        ("*", set()),
        ("𠮷", {8}),
        ("𠮷野", {8}),
        ("㐂乐分校", {8}),
        ("没有的词", set()),
        ("\x00", set(TEXTS)),
        ("安\x00", {1, 3, 4}),
        ("\ud800", set(TEXTS)),
        ("  ", set(TEXTS)),
        ("", set(TEXTS)),
    ],
)
def test_a_query_finds_what_holds_all_its_words(shelf: Store, q: str, ids: set[int]) -> None:
    assert ask(shelf, q) == ids


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 12), st.integers(1, 6))
def test_every_part_of_a_title_finds_it(shelf: Store, id_: int, start: int, length: int) -> None:
    part = TEXTS[id_][start : start + length]
    assert id_ in ask(shelf, part)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=12))
@example('" OR grams MATCH "')
@example("NEAR(安 全)")
@example("-安^*")
def test_no_query_breaks_anything_and_both_ways_agree(shelf: Store, q: str) -> None:
    assert ask(shelf, q) <= set(TEXTS)


def test_a_query_has_an_end(shelf: Store) -> None:
    assert ask(shelf, "安" * 100) == set()
    with pytest.raises(Invalid):
        search.terms("安" * 101)


def test_a_changed_text_is_found_by_its_new_words_only(shelf: Store) -> None:
    shelf.write(lambda tx: search.index(tx, 1, search.body_of("F-000001", "消防通道堵塞", "", "桐峰小学")))
    assert ask(shelf, "消防通道") == {1}
    assert ask(shelf, "安全出口") == set()
    assert ask(shelf, "安全") == {3}


def test_a_renamed_unit_is_found_by_its_new_name(store: Store) -> None:
    def arrange(tx: Tx) -> str:
        country = found(tx)
        for id_ in (1, 2):
            put_searchable(tx, id_, f"问题{id_}", unit_name=country.school.name, unit_id=country.school.id)
        return country.school.id

    school = store.write(arrange)
    assert ask(store, "中心小学") == {1, 2}
    store.write(lambda tx: places.change_unit(tx, BY, school, {"name": "云溪县实验学校"}))
    assert ask(store, "实验学校") == {1, 2}
    assert ask(store, "中心小学") == set()
    assert ask(store, "问题2 实验") == {2}


def test_a_rare_word_is_told_from_a_common_one(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for id_ in range(1, 12):
            put_searchable(tx, id_, "校园安全" if id_ > 1 else "罕见校园")

    store.write(fill)
    assert store.read(lambda tx: search.is_rare(tx, "罕见", 10))
    assert store.read(lambda tx: search.is_rare(tx, "安全", 10))
    assert not store.read(lambda tx: search.is_rare(tx, "校园", 10))
    assert store.read(lambda tx: search.is_rare(tx, "校园 罕见", 10))
