"""Settings: the shipped config.toml, an office's own file and the environment become one frozen value.

Defaults stand in config.toml and nowhere else. Only `loop.bootstrap` reads settings.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from loop.kernel.rules import DisputeModel, Ladder, Rule, RuleBook, parse_duration
from loop.setting_layers import (
    Layer,
    SettingsError,
    Tree,
    Where,
    overlay,
    read_environment,
    read_file,
    shipped_config,
)
from loop.setting_sections import (
    Auth,
    ChannelEntry,
    Database,
    Disputes,
    Documents,
    LadderSteps,
    Lookback,
    Notifications,
    Observability,
    Retention,
    RouteEntry,
    Server,
    Sourced,
    Storage,
    TimeLimit,
    TimeLimits,
    WorkingCalendar,
)

__all__ = ["Settings", "SettingsError", "load_settings", "rule_book", "shipped_config"]

PLAINLY = {
    "dict_type": "must be a table of names and values",
    "model_type": "must be a table of names and values",
    "tuple_type": 'must be a list, such as ["a", "b"] or [7, 3, 1]',
}
"""What Pydantic says in Python's words."""


class Settings(BaseSettings):
    """All settings of one process. Made by `load_settings`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="LOOP_", env_nested_delimiter="__")

    database: Database
    server: Server
    calendar: WorkingCalendar
    deadlines: Mapping[str, TimeLimit]
    ladder: LadderSteps
    lookback: Lookback
    disputes: Disputes
    notifications: Notifications
    documents: Documents
    storage: Storage
    auth: Auth
    retention: Retention
    observability: Observability
    channels: tuple[ChannelEntry, ...]
    routes: tuple[RouteEntry, ...]
    _layers: tuple[Layer, ...] = PrivateAttr(())

    def remember(self, layers: list[Layer]) -> None:
        """Keep what these settings were read from, so that a later complaint can name the place."""
        self._layers = tuple(layers)

    def wrong(self, where: Where, what: str) -> SettingsError:
        """The complaint that a setting is wrong for a reason only others know; names its file and line, or its variable."""
        return SettingsError(_told(list(self._layers), [(where, what)]))

    @field_validator("channels")
    @classmethod
    def each_name_once(cls, channels: tuple[ChannelEntry, ...]) -> tuple[ChannelEntry, ...]:
        names = [channel.name for channel in channels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two channels are called {', '.join(twice)}")
        return channels

    @field_validator("deadlines")
    @classmethod
    def freeze(cls, deadlines: Mapping[str, TimeLimit]) -> Mapping[str, TimeLimit]:
        return MappingProxyType(dict(deadlines))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load_settings` has laid together, so that a changed limit also changes its source."""
        return (init_settings,)


def load_settings(path: Path | None = None) -> Settings:
    """Read settings: defaults, then the file (`path`, else LOOP_CONFIG, else none), then LOOP_… variables.

    Raises SettingsError with every complaint, each naming its file and line, or its variable.
    """
    own = path or os.environ.get("LOOP_CONFIG")
    files = [shipped_config(), *([Path(own)] if own else [])]
    layers: list[Layer] = [*map(read_file, files), read_environment(Settings)]
    shipped = layers[0].tree
    tree: Tree = {}
    for layer in layers:
        tree = overlay(tree, layer.tree)
    try:
        settings = Settings(**tree)
    except ValidationError as wrong:
        complaints = [*_strange_limits(tree, shipped), *_complaints(wrong, shipped)]
        raise SettingsError(_told(layers, complaints)) from wrong
    if strange := list(_strange_limits(tree, shipped)):
        raise SettingsError(_told(layers, strange))
    settings.remember(layers)
    return settings


def rule_book(settings: Settings) -> RuleBook:
    """Answer the rules of these settings as the kernel reads them."""
    return RuleBook(
        rules=MappingProxyType({key: _rule(key, limit.value, limit) for key, limit in settings.deadlines.items()}),
        ladder=Ladder(**settings.ladder.model_dump()),
        lookback=_points(settings.lookback.points),
        lookback_grave=_points(settings.lookback.points_grave),
        disputes=DisputeModel(**settings.disputes.model_dump()),
        zone=settings.server.zone,
    )


def _points(limits: TimeLimits) -> tuple[Rule, ...]:
    return tuple(_rule("lookback", value, limits) for value in limits.value)


def _rule(key: str, value: str, basis: Sourced) -> Rule:
    number, unit = parse_duration(value)
    return Rule(key, number, unit, basis.source, basis.provenance, basis.source_en)


def _strange_limits(tree: Tree, shipped: Tree) -> Iterator[tuple[Where, str]]:
    """The names of time limits are those of config.toml, so no class lists them a second time."""
    given, known = tree["deadlines"], shipped["deadlines"]
    for key in given if isinstance(given, dict) else ():
        if key not in known:
            yield ("deadlines", key), _unknown(key, known)


def _complaints(wrong: ValidationError, shipped: Tree) -> Iterator[tuple[Where, str]]:
    for error in wrong.errors(include_url=False, include_input=False):
        where: Where = error["loc"]
        if error["type"] == "extra_forbidden":
            yield where, _unknown(str(where[-1]), _siblings(where, shipped))
        elif error["type"] == "missing":
            yield where, "is missing; add it"
        elif where[:1] != ("deadlines",) or not where[1:] or where[1] in shipped["deadlines"]:
            what = PLAINLY.get(error["type"], error["msg"].removeprefix("Value error, "))
            yield where, f"{what}; correct it, or remove it for the default"


def _siblings(where: Where, shipped: Tree) -> Mapping[str, Any]:
    """Answer what may stand where an unknown name stands; all tables of one array are alike."""
    node: Any = shipped
    for step in where[:-1]:
        node = node[0 if isinstance(step, int) else step]
    return node if isinstance(node, dict) else {}


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {close[0]}?" if close else "remove it; config.toml lists all there are"
    return f"{name} is not a setting here; {advice}"


def _told(layers: list[Layer], complaints: list[tuple[Where, str]]) -> str:
    return "\n".join(f"{_place(layers, where)}: {_name(where)}: {what}" for where, what in complaints)


def _place(layers: list[Layer], where: Where) -> str:
    """Blame the last layer that sets it, because that one won."""
    return next((place for layer in reversed(layers) if (place := layer.place(where))), str(shipped_config()))


def _name(where: Where) -> str:
    inner = ".".join(str(step) for step in where[1:])
    return f"[{where[0]}] {inner}".rstrip()
