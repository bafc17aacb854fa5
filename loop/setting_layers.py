"""The layers that settings come from, TOML files and the environment, and where in them each value stands.

Knows no setting by name. A layer's complaint can name its file and line, or its variable.
"""

import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings import SettingsError as BadVariable

Tree = dict[str, Any]
Where = tuple[str | int, ...]

SET_HERE = {"source": "本机构设定", "source_en": "set by this office", "provenance": "O"}

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")


class SettingsError(Exception):
    """A setting is unknown or wrong; the text names the place and what to do, one complaint a line."""


@dataclass(frozen=True, slots=True)
class FileLayer:
    """What one TOML file sets."""

    path: Path
    text: str
    tree: Tree

    def place(self, where: Where) -> str | None:
        """Name file and line of the setting, or None where this file does not set it."""
        if not _sets(self.tree, where):
            return None
        line = line_of(self.text, where)
        return f"{self.path}, line {line}" if line else str(self.path)


@dataclass(frozen=True, slots=True)
class EnvironmentLayer:
    """What environment variables set."""

    prefix: str
    tree: Tree

    def place(self, where: Where) -> str | None:
        """Name the variable of the setting, or None where none sets it."""
        if not _sets(self.tree, where):
            return None
        names = takewhile(lambda step: isinstance(step, str), where[:2])
        return f"environment variable {self.prefix}{'__'.join(str(name).upper() for name in names)}"


Layer = FileLayer | EnvironmentLayer


def shipped_config() -> Path:
    """Answer the path of the shipped config.toml: at the top of a checkout, or where a wheel puts it."""
    checkout = Path(__file__).parents[1] / "config.toml"
    return checkout if checkout.exists() else Path(sys.prefix, "share", "rectification-loop", "config.toml")


def read_file(path: Path) -> FileLayer:
    """Read a TOML file; raises SettingsError if it is missing, unreadable or broken."""
    try:
        text = path.read_text("utf-8")
        return FileLayer(path, text, tomllib.loads(text))
    except OSError as missing:
        raise SettingsError(
            f"{path} can't be read ({missing.strerror}): correct the name in LOOP_CONFIG, or create the file"
        ) from missing
    except UnicodeDecodeError as foreign:
        raise SettingsError(f"{path} is not UTF-8 text: save it as UTF-8") from foreign
    except tomllib.TOMLDecodeError as broken:
        raise SettingsError(f"{path} is not valid TOML: {broken}; correct that line") from broken


def read_environment(settings: type[BaseSettings]) -> EnvironmentLayer:
    """Read the variables of a settings class; raises SettingsError for an unknown section or a broken list."""
    prefix = settings.model_config.get("env_prefix", "")
    sections = settings.model_fields
    for name in os.environ:
        section, nested, _ = name.upper().removeprefix(prefix).partition("__")
        if name.upper().startswith(prefix) and nested and section.lower() not in sections:
            raise SettingsError(f"environment variable {name}: there is no section {section.lower()}; remove it")
    try:
        return EnvironmentLayer(prefix, EnvSettingsSource(settings)())
    except BadVariable as broken:
        raise SettingsError(f"environment: {broken}; write a list as JSON, such as '[7, 3, 1]'") from broken


def overlay(base: Tree, layer: Tree) -> Tree:
    """Lay one tree over another. Where the base names the source of a value, a changed value is the office's own."""
    merged = dict(base)
    for key, given in layer.items():
        before = base.get(key)
        if isinstance(before, dict) and "provenance" in before:
            merged[key] = _with_source(before, given)
        elif isinstance(before, dict) and isinstance(given, dict):
            merged[key] = overlay(before, given)
        else:
            merged[key] = given
    return merged


def line_of(text: str, where: Where) -> int | None:
    """Answer the line of a setting in a TOML text, counted from 1, or of the nearest table around it.

    The standard library's parser keeps no positions; this reads only section headers and keys, never values.
    """
    found = dict(_places(text))
    lines = (found.get(where[:length]) for length in range(len(where), 0, -1))
    return next((line for line in lines if line), None)


def _with_source(before: Tree, given: Any) -> Tree:
    told = given if isinstance(given, dict) else {"value": given}
    if "source" in told:
        # The English of another source would not be its translation.
        told = {"source_en": "", **told}
    if told.get("value", before["value"]) == before["value"]:
        return {**before, **told}
    return {**before, **SET_HERE, **told}


def _sets(tree: Any, where: Where) -> bool:
    """Tell whether a tree reaches the setting; two steps name it, what follows lies inside its value."""
    for step in where[:2]:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _places(text: str) -> Iterator[tuple[Where, int]]:
    section: Where = ()
    tables: Counter[Where] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = _names(header[2])
            if header[1] == "[[":
                if not tables[section]:
                    yield section, number
                tables[section] += 1
                section = (*section, tables[section] - 1)
            yield section, number
        elif key := _KEY.match(line):
            yield (*section, *_names(key[1])), number


def _names(dotted: str) -> Where:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
