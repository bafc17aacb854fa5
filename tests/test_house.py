"""House rules: imports run one way, files and functions stay small, names say something, docs follow the workflow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for top in ("loop", "workflows", "notifiers", "benchmarks") for path in (ROOT / top).rglob("*.py")
    if "migrations" not in path.parts
)  # fmt: skip

MAY_IMPORT: dict[str, set[str]] = {
    "kernel": set(),
    "store": {"kernel"},
    "documents": {"kernel"},
    "engine": {"kernel", "store"},
    "throttle": {"kernel"},
    "browser": set(),
    "access": {"kernel", "store", "engine", "throttle"},
    "ledger": {"kernel", "store", "engine", "documents"},
    "service": {"kernel", "store", "engine", "access"},
    "authority": {"kernel", "store", "access", "service"},
    "staffing": {"kernel", "store", "access", "service", "authority"},
    "campaigns": {"kernel", "store", "access", "service", "authority"},
    "virtual_time": {"kernel", "engine", "service"},
    "api": {
        "kernel", "store", "engine", "access", "browser", "throttle", "documents", "ledger", "service", "authority",
        "staffing", "campaigns", "virtual_time",
    },
    "web": {
        "kernel", "store", "engine", "access", "browser", "throttle", "documents", "ledger", "service", "authority",
        "staffing", "campaigns", "calendars", "almanac", "virtual_time",
    },
    "settings": {"kernel"},
    "calendars": {"kernel"},
    "almanac": {"kernel", "store", "engine", "calendars"},
    "log": set(),
    "bootstrap": {"kernel", "store", "engine", "settings", "calendars", "almanac", "workflows", "notifiers"},
    "application": {"bootstrap", "access", "service", "api", "web"},
    "demo": {"kernel", "store", "engine", "access", "settings", "log", "bootstrap", "application"},
    "cli": {
        "kernel", "store", "engine", "access", "documents", "ledger", "settings", "calendars", "log", "bootstrap", "application",
        "demo", "workflows",
    },
    "workflows": {"kernel"},
    "notifiers": {"kernel"},
}  # fmt: skip
"""Room -> the rooms it may import. `loop.setting_*` are parts of settings."""


def room_of(module: str) -> str | None:
    """The room of a module of ours; None for libraries and the package itself."""
    parts = module.split(".")
    if parts[0] in ("workflows", "notifiers", "benchmarks"):
        return parts[0]
    if parts[0] != "loop" or len(parts) == 1:
        return None
    if parts[1] == "__init__":
        return None
    return "settings" if parts[1].startswith("setting") else parts[1]


def imports_of(path: Path) -> Iterator[str]:
    """The modules a file imports, at the top or inside functions; imports for type checking alone count as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "loop":
                yield from (f"loop.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    room = room_of(module)
    if room is None or room == "benchmarks":
        return
    used = {found for name in imports_of(path) if (found := room_of(name))}
    assert used <= MAY_IMPORT[room] | {room}


def test_transitions_is_known_to_one_module_only() -> None:
    users = [path for path in SOURCES if "transitions" in {name.split(".")[0] for name in imports_of(path)}]
    assert [path.name for path in users if "benchmarks" not in path.parts] == ["machine.py"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_are_small_and_named_for_a_noun(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < 40, f"{node.name} is too long"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if "benchmarks" not in p.parts], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_module_opens_with_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_only_the_composition_root_reads_the_clock_for_findings() -> None:
    """`datetime.now` stands where real time is meant: leases, sessions, tokens, the heart, the console."""
    readers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.parts[-2] in ("kernel", "workflows") and "datetime.now(" in path.read_text(encoding="utf-8")
    }
    assert readers == set()
