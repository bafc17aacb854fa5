"""What config.toml promises: every default documented and sourced, small overrides, complaints that name the line."""

import json
import logging
import os
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import structlog

from loop import log
from loop.kernel.labels import Label
from loop.kernel.reference import beyond
from loop.kernel.rules import AS_ORDERED, Rule, parse_duration
from loop.setting_layers import line_of
from loop.settings import Settings, SettingsError, load_settings, rule_book, shipped_config

# By hand from the workflow contract; a changed default is a changed promise.
LIMITS = dict(
    pair.split("=")
    for pair in """
    report_due=10d report_review=5wd supervision_report=30d on_the_spot_max=30d repeat_window=12mo defence=10d
    opinion_issue=30d acknowledge=3wd publish_due=20wd take_down_due=3wd plan_due=15wd plan_due_department=30d
    plan_due_government=30d plan_resubmit=5wd plan_review=5wd rectify_by=30d rectify_by_major=90d
    rectify_by_long_term=180d rectify_min=5wd monthly_report=1mo extension_decide=5wd extension_max=30d
    review_due=10wd write_off=5wd commendation_review=5wd publicity_min=5wd interview_decide=3wd
    interview_time=1wd interview_notice=3wd interview_file=5wd bulletin_decide=5wd bulletin_answer=10wd
    group_due=60d investigation_due=60d accountability_defence=5wd decision_due=15wd execution_report=30d
    accountability_window=12mo lookback_due=10wd archive_due=10wd opinion_window=10d objection_decide=30d
    reconsider_window=30d reconsider_decide=30d appeal_window=15d appeal_decide=60d correction=15d
    instruction_reply=5wd transfer_result=30d tip_off_answer=15d
    """.split()  # noqa: SIM905  fifty quoted pairs would be no easier to read
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("LOOP_"):
            monkeypatch.delenv(name)


def own_file(folder: Path, text: str) -> Path:
    path = folder / "office.toml"
    path.write_text(text, "utf-8")
    return path


def complaint(path: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    return str(refused.value)


def test_the_shipped_limits_are_those_of_the_workflow() -> None:
    rules = rule_book(load_settings()).rules
    assert {key: f"{rule.number}{rule.unit}" for key, rule in rules.items()} == LIMITS


def test_the_shipped_ladder_and_look_back_are_those_of_the_workflow() -> None:
    book = rule_book(load_settings())
    ladder = book.ladder
    assert (ladder.warn_before, ladder.urge_after, ladder.order_after) == ((10, 5, 1), 1, 7)
    assert (ladder.interview_after, ladder.set_date_after, ladder.bulletin_answer_refer_after) == (15, 1, 15)
    assert (ladder.at, ladder.remind_then, ladder.remind_every) == ("09:00", "3wd", "5wd")
    assert [(point.number, point.unit) for point in book.lookback] == [(90, "d"), (180, "d")]
    assert [point.number for point in book.lookback_grave] == [30, 90, 180, 365]
    assert (book.disputes.opinion_decided_by, book.disputes.opinion_appeal) == ("same_office", False)
    assert book.zone == "Asia/Shanghai"


def settings_in(text: str) -> Iterator[tuple[str, str, str]]:
    """Each setting of a TOML text with the comment block above it and its own line; a row of a table is one setting."""
    comment: list[str] = []
    in_row = False
    for line in text.splitlines():
        if line.startswith("#"):
            comment.append(line)
        elif row := re.match(r"\[\[(\w+)\]\]", line):
            yield row[1], "\n".join(comment), line
            in_row = True
        elif (key := re.match(r"(\w+) =", line)) and not in_row:
            yield key[1], "\n".join(comment), line
            comment = []
        elif not line:
            comment, in_row = [], False


DOCUMENTED = list(settings_in(shipped_config().read_text("utf-8")))


@pytest.mark.parametrize(("name", "comment", "line"), DOCUMENTED, ids=[name for name, _, _ in DOCUMENTED])
def test_every_setting_is_documented_with_its_source(name: str, comment: str, line: str) -> None:
    assert comment, f"{name} has no comment"
    assert "source = " in line or "Source: " in comment


def test_no_setting_is_left_undocumented() -> None:
    def count(node: object) -> int:
        match node:
            case dict() if "provenance" not in node:
                return sum(map(count, node.values()))
            case list() if node and isinstance(node[0], dict):
                return len(node)
        return 1

    assert len(DOCUMENTED) == count(tomllib.loads(shipped_config().read_text("utf-8")))


def shipped_rules() -> list[Rule]:
    book = rule_book(load_settings())
    return [*book.rules.values(), *book.lookback[:1], *book.lookback_grave[:1]]


SHIPPED = shipped_rules()
NUMERALS = "零一二三四五六七八九"


def number(numeral: str) -> int:
    """A Chinese numeral below a hundred."""
    tens, ten, ones = numeral.rpartition("十")
    return (NUMERALS.index(tens) if tens else bool(ten)) * 10 + (NUMERALS.index(ones) if ones else 0)


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.key)
def test_a_limit_never_passes_for_law_that_was_not_read(rule: Rule) -> None:
    assert rule.provenance in {"V", "A", "P"}
    assert rule.basis.zh.startswith("类推：") == rule.basis.en.startswith("by analogy: ") == (rule.provenance == "A")
    assert rule.basis.zh.startswith("产品默认，") == (rule.provenance == "P")
    assert rule.basis.en.startswith(("product default; ", "product default, ")) == (rule.provenance == "P")


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.key)
def test_a_source_names_the_same_laws_and_articles_in_both_languages(rule: Rule) -> None:
    zh, en = rule.basis
    assert not re.search("[A-Za-z]", zh)
    assert en != zh
    laws = re.findall(r"[\d一-鿿]*[一-鿿]{3,}(?:\([\d一-鿿]+\)\w*)?", en)
    assert all(law in zh for law in laws), laws
    articles = [
        int(n) for told in re.findall(r"Art (\d+(?:\([0-9]\))?(?: and \d+)?)", en) for n in re.findall(r"\d+", told)
    ]
    assert sorted(
        map(number, re.findall("第([一二三四五六七八九十]+)[条项]", zh.replace("第 13 问第四项", "")))
    ) == sorted(articles)


def test_the_comment_above_a_limit_gives_the_same_provenance_as_the_limit() -> None:
    marked = {name: re.search(r"# \[([VAP])\]", comment) for name, comment, line in DOCUMENTED if "provenance" in line}
    rules = rule_book(load_settings()).rules
    wrong = [
        name for name, mark in marked.items() if mark is None or (name in rules and mark[1] != rules[name].provenance)
    ]
    assert wrong == []


def test_a_file_of_ones_own_says_only_what_differs(tmp_path: Path) -> None:
    settings = load_settings(own_file(tmp_path, '[server]\nport = 9000\n[deadlines]\nplan_due = "10wd"\n'))
    assert (settings.server.port, settings.server.host) == (9000, "127.0.0.1")
    assert rule_book(settings).rule("plan_review").number == 5


def test_a_changed_limit_is_shown_as_the_offices_own(tmp_path: Path) -> None:
    rule = rule_book(load_settings(own_file(tmp_path, 'deadlines.plan_due = "10wd"'))).rule("plan_due")
    assert (rule.number, rule.unit, rule.source, rule.provenance) == (10, "wd", "本机构设定", "O")
    assert rule.basis.en == "set by this office"


def test_a_limit_repeated_unchanged_keeps_its_source(tmp_path: Path) -> None:
    changed = rule_book(load_settings(own_file(tmp_path, 'deadlines.defence = "10d"')))
    assert changed.rule("defence") == rule_book(load_settings()).rule("defence")


def test_an_office_may_name_its_own_source(tmp_path: Path) -> None:
    text = """[deadlines]
        plan_due = { value = "10wd", source = "本机构工作规则第十二条" }
        plan_review = { value = "6wd", source = "第十三条", source_en = "article 13" }
        defence = { value = "10d", source = "第十四条", provenance = "O" }
    """
    book = rule_book(load_settings(own_file(tmp_path, text)))
    rule = book.rule("plan_due")
    assert (rule.number, rule.source, rule.provenance) == (10, "本机构工作规则第十二条", "O")
    assert rule.basis == Label("本机构工作规则第十二条", "本机构工作规则第十二条")
    assert book.rule("plan_review").basis == Label("第十三条", "article 13")
    assert book.rule("defence").basis == Label("第十四条", "第十四条")


def test_what_a_clock_has_recorded_reads_in_both_languages_while_a_rule_rests_on_it(tmp_path: Path) -> None:
    book = rule_book(load_settings(own_file(tmp_path, 'deadlines.plan_due = "10wd"')))
    for rule in (*book.rules.values(), *book.lookback, AS_ORDERED):
        assert book.basis_of(rule.source) == book.basis_of(rule.basis.en) == rule.basis
    assert book.basis_of("本机构设定") == Label("本机构设定", "set by this office")
    assert book.basis_of("一九九九年旧规") == Label("一九九九年旧规", "一九九九年旧规")


def test_a_place_that_shows_the_provenance_does_not_say_it_twice() -> None:
    assert beyond(Label("产品默认，未查到规定", "product default; no rule found"), "P") == (
        "未查到规定",
        "no rule found",
    )
    assert beyond(Label("类推：某法", "by analogy: some law"), "A") == ("某法", "some law")
    assert beyond(Label("本机构设定", "set by this office"), "O") == ("", "")
    assert beyond(Label("产品默认值表", "product defaults"), "P") == ("产品默认值表", "product defaults")


def test_look_back_points_can_be_set_and_are_then_the_offices_own(tmp_path: Path) -> None:
    book = rule_book(load_settings(own_file(tmp_path, '[lookback]\npoints = ["1mo"]\n')))
    assert [(point.number, point.unit, point.source) for point in book.lookback] == [(1, "mo", "本机构设定")]


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_CONFIG", str(own_file(tmp_path, '[deadlines]\nplan_due = "10wd"\nplan_review = "6wd"\n')))
    monkeypatch.setenv("LOOP_DEADLINES__PLAN_DUE", "12wd")
    monkeypatch.setenv("LOOP_DATABASE__URL", "postgresql+psycopg://loop@db.example/loop")
    monkeypatch.setenv("LOOP_LADDER__WARN_BEFORE", "[7, 3]")
    settings = load_settings()
    book = rule_book(settings)
    assert (book.rule("plan_due").number, book.rule("plan_due").source) == (12, "本机构设定")
    assert book.rule("plan_review").number == 6
    assert settings.database.url == "postgresql+psycopg://loop@db.example/loop"
    assert book.ladder.warn_before == (7, 3)


def test_the_database_url_can_come_from_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://loop:geheim@db.example/loop\n", "utf-8")
    monkeypatch.setenv("LOOP_DATABASE__URL_FILE", str(secret))
    settings = load_settings()
    assert settings.database.url == "postgresql+psycopg://loop:geheim@db.example/loop"
    assert "geheim" not in repr(settings)


def test_a_secret_file_that_is_missing_or_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_DATABASE__URL_FILE", str(tmp_path / "gone"))
    assert "LOOP_DATABASE__URL_FILE" in complaint()
    (tmp_path / "gone").write_text("geheim", "utf-8")
    assert "LOOP_DATABASE__URL_FILE" in complaint()
    assert "geheim" not in complaint()


WRONG = [
    ("[server]\n\nprot = 1\n", 3, "did you mean port?"),
    ("[sever]\nport = 1\n", 1, "did you mean server?"),
    ('[server]\nhost = "::"\nport = "many"\n', 3, "valid integer"),
    ("[server]\nport = 70000\n", 2, "less than or equal to 65535"),
    ('[server]\nzone = "Asia/Peking"\n', 2, "Asia/Shanghai"),
    ('[deadlines]\n# ours\nplan_deu = "10wd"\n', 3, "did you mean plan_due?"),
    ('[deadlines]\nplan_due = "10 days"\n', 2, "15wd"),
    ('[deadlines]\nplan_due = "0d"\n', 2, "from 1 to 9999"),
    ('[deadlines]\nplan_due = "48h"\n', 2, "working days"),
    ("[deadlines]\nplan_due = 10\n", 2, "valid string"),
    ('[deadlines]\ndefence = { value = "9d", sauce = "x" }\n', 2, "did you mean source?"),
    ("deadlines = 3\n", 1, "must be a table"),
    ("server = 3\n", 1, "must be a table of names"),
    ("[ladder]\nwarn_before = 3\n", 2, "must be a list"),
    ("[ladder]\norder_after = 1\n", 2, "later than urge_after"),
    ('[ladder]\nat = "9 am"\n', 2, "pattern"),
    ("[lookback]\npoints = []\n", 2, "at least one"),
    ('[database]\nurl = "mysql://x"\n', 2, "postgresql+psycopg://"),
    ('[auth]\nsession = "1mo"\n', 2, "no fixed length"),
    ('[documents]\nnumber = "{word}〔{year}〕"\n', 2, "{serial}"),
    ('[documents]\nnumber = "{word.x}{serial}"\n', 2, "may stand in braces"),
    ("[server]\nport = = 1\n", 2, "not valid TOML"),
]


@pytest.mark.parametrize(("text", "line", "advice"), WRONG, ids=[advice for _, _, advice in WRONG])
def test_a_wrong_setting_names_its_file_and_line_and_what_to_do(
    tmp_path: Path, text: str, line: int, advice: str
) -> None:
    said = complaint(own_file(tmp_path, text))
    assert "office.toml" in said
    assert f"line {line}" in said
    assert advice in said
    assert len(said.splitlines()) == 1


def test_all_complaints_come_at_once(tmp_path: Path) -> None:
    said = complaint(own_file(tmp_path, '[deadlines]\nnope = 1\n[server]\nport = "x"\nhots = "y"\n'))
    assert [re.findall(r"line (\d)", line) for line in said.splitlines()] == [["2"], ["4"], ["5"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOOP_SERVER__PORT", "many"),
        ("LOOP_SERVER__PROT", "1"),
        ("LOOP_DEADLINES__PLAN_DUE", "soon"),
        ("LOOP_DEADLINES__PLAN_DEU", "10wd"),
        ("LOOP_DATABSE__URL", "sqlite:///x"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert f"environment variable {name}: " in complaint()


def test_a_broken_list_in_the_environment_says_how_to_write_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_LADDER__WARN_BEFORE", "7, 3")
    assert "[7, 3, 1]" in complaint()


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    assert "office.toml can't be read" in complaint(tmp_path / "office.toml")
    (tmp_path / "office.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in complaint(tmp_path / "office.toml")


def test_settings_can_not_be_changed_afterwards() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.deadlines["plan_due"] = settings.deadlines["defence"]  # type: ignore[index]


def test_spans_become_time() -> None:
    auth, retention = load_settings().auth, load_settings().retention
    assert (auth.session, auth.token) == (timedelta(hours=12), timedelta(days=365))
    assert retention.idempotency == timedelta(days=7)


def test_every_section_is_in_the_file() -> None:
    assert set(tomllib.loads(shipped_config().read_text("utf-8"))) == set(Settings.model_fields)


def test_a_line_is_found_through_dotted_and_quoted_names() -> None:
    text = '[a]\n"b" = 1\nc.d = 2\n[[e]]\nf = 1\n[[e]]\nf = 2\n'
    places = [("a", "b"), ("a", "c", "d"), ("e", 1, "f"), ("e", 0, "g"), ("z",)]
    assert [line_of(text, place) for place in places] == [2, 3, 7, 4, None]


@pytest.mark.parametrize(("text", "parts"), [("15wd", (15, "wd")), ("1mo", (1, "mo")), ("24h", (24, "h"))])
def test_a_duration_is_a_number_and_a_unit(text: str, parts: tuple[int, str]) -> None:
    assert parse_duration(text) == parts


@pytest.mark.parametrize("text", ["", "15", "wd", "0d", "-1d", "1.5d", "15 wd", "15WD", "１５d", "15d\n", "10000d"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="15wd"):
        parse_duration(text)


@pytest.fixture
def kept_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("kept_logging")
def test_logs_are_json_with_readable_chinese_and_survive_half_a_character() -> None:
    out = StringIO()
    log.configure("json", "info", out)
    structlog.get_logger("loop").info("finding.acted", unit="第一小学", typed="\ud800")
    structlog.get_logger("loop").debug("too.fine")
    logging.getLogger("another.library").warning("port %s", 8000)
    first, second = out.getvalue().splitlines()
    assert "第一小学" in first
    assert json.loads(first)["event"] == "finding.acted"
    assert json.loads(first)["level"] == "info"
    assert json.loads(second)["event"] == "port 8000"
    out.getvalue().encode("utf-8")


@pytest.mark.usefixtures("kept_logging")
def test_a_stranger_kind_of_value_and_an_exception_are_logged_too() -> None:
    out = StringIO()
    log.configure("json", "info", out)
    structlog.get_logger("loop").error("timer.failed", at=timedelta(days=1), exc_info=ValueError("broken"))
    line = json.loads(out.getvalue())
    assert line["exception"][0]["exc_value"] == "broken"


@pytest.mark.usefixtures("kept_logging")
def test_a_file_gets_json_and_people_get_lines() -> None:
    auto, console = StringIO(), StringIO()
    log.configure("auto", "info", auto)
    structlog.get_logger("loop").info("started")
    log.configure("console", "info", console)
    structlog.get_logger("loop").info("started", port=8000)
    assert json.loads(auto.getvalue())["event"] == "started"
    assert "started" in console.getvalue()
    assert "port=8000" in console.getvalue()
