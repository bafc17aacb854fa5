"""Folds the events of one chain, in order, into the very rows that the tables must hold. Folding never decides again.

Rows are mappings of column to stored value. What is free to change without an event (how far a message got, when a
blocked timer is tried again) is left out; a text that is kept elsewhere is represented by its digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import loads
from typing import Any

from loop.engine.record import INBOX
from loop.kernel.finding import is_open
from loop.store.canonical import canonical
from loop.store.reach import levels

Row = dict[str, Any]
Key = tuple[Any, ...]

DETAIL = ("profile", "anchor_on", "note", "pauses", "left", "ladder")
"""Values of a timer that one column holds together."""


@dataclass(slots=True)
class Rebuilt:
    """What the events of `chain` up to `seq` add up to: the rows of each table by primary key.

    `finding` is empty for chains of other things. `links` are of documents; `files` holds every (size, type) that was
    said of a digest; `messages` are keyed by their unique key and hold the digest of their content.
    """

    chain: str
    seq: int = 0
    finding: Row = field(default_factory=dict)
    sheet: dict[str, Any] = field(default_factory=dict)
    timers: dict[Key, Row] = field(default_factory=dict)
    parts: dict[Key, Row] = field(default_factory=dict)
    documents: dict[Key, Row] = field(default_factory=dict)
    links: dict[Key, Row] = field(default_factory=dict)
    attachments: dict[Key, Row] = field(default_factory=dict)
    files: dict[str, set[tuple[int, str]]] = field(default_factory=dict)
    messages: dict[Key, Row] = field(default_factory=dict)
    supervision: Row = field(default_factory=dict)
    team: tuple[str, ...] = ()
    tip_off: Row = field(default_factory=dict)

    def take(self, event: Mapping[str, Any]) -> None:
        """Add the next event, a row of the table as it stands."""
        self.seq = event["seq"]
        effects: dict[str, Any] = loads(event["effects"])
        if "finding" in effects:
            self._take_finding(event, effects)
        self._take_timers(effects)
        self._take_parts(effects)
        self._take_papers(effects)
        self._take_messages(event, effects)
        if event["action"] == "attach" and event["finding_id"] is not None:
            self._take_file(event, loads(event["payload"]))
        self.supervision = effects.get("supervision", self.supervision)
        self.team = tuple(effects.get("team", self.team))
        self.tip_off = effects.get("tip_off", self.tip_off)

    def _take_finding(self, event: Mapping[str, Any], effects: Mapping[str, Any]) -> None:
        self.sheet.update(effects["sheet"])
        changed = {name: _stored(value) for name, value in effects["finding"].items()}
        self.finding = {
            **self.finding, **changed, **levels(tuple(effects["region"])), "id": event["finding_id"],
            "number": self.chain, "changed_at": event["at"], "version": self.seq, "head": event["hash"],
            "sheet": canonical(self.sheet),
        }  # fmt: skip
        self.finding["is_open"] = int(is_open(self.finding["state"]))

    def _take_timers(self, effects: Mapping[str, Any]) -> None:
        office_id = effects.get("office") or self.finding.get("office_id", "")
        for timer in effects.get("timers", ()):
            columns = {name: value for name, value in timer.items() if name not in DETAIL}
            self.timers[(timer["id"],)] = {
                **columns, "chain": self.chain, "office_id": office_id, "unit_id": self.finding.get("unit_id", ""),
                "detail": canonical({name: timer[name] for name in DETAIL if name in timer}),
            }  # fmt: skip

    def _take_parts(self, effects: Mapping[str, Any]) -> None:
        left = set(effects.get("left_parts", ()))
        for row in self.parts.values():
            if row["part"] in left:
                row["ended"] = 1
        for part, person in effects.get("parts", ()):
            key = (self.chain, person, part, self.seq)
            self.parts[key] = {"chain": key[0], "person_id": person, "part": part, "seq": self.seq, "ended": 0}

    def _take_papers(self, effects: Mapping[str, Any]) -> None:
        for document in effects.get("documents", ()):
            self.documents[(document["id"],)] = {name: _stored(value) for name, value in document.items()}
            key = (document["id"], self.chain)
            self.links.setdefault(key, {"document_id": key[0], "chain": self.chain, "seq": self.seq})

    def _take_file(self, event: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        self.attachments[(payload["attachment"],)] = {
            "id": payload["attachment"], "chain": self.chain, "seq": self.seq, "sha256": payload["sha256"],
            "name": payload["name"], "by_id": event["actor_id"],
        }  # fmt: skip
        self.files.setdefault(payload["sha256"], set()).add((payload["size"], payload["type"]))

    def _take_messages(self, event: Mapping[str, Any], effects: Mapping[str, Any]) -> None:
        for message in effects.get("messages", ()):
            key = f"{self.chain}:{self.seq}:{message['person']}:{INBOX}"
            self.messages[(key,)] = {
                "key": key, "chain": self.chain, "seq": self.seq, "person_id": message["person"], "step": event["action"],
                "channel": INBOX, "content": effects["letter"], "role": message["role"], "gap": message["gap"],
                "should_at": event["due_at"] or event["at"], "queued_at": event["at"],
            }  # fmt: skip


def rebuild(chain: str, events: Iterable[Mapping[str, Any]]) -> Rebuilt:
    """Every row that the events of `chain`, given in order as rows of the table, add up to."""
    rebuilt = Rebuilt(chain)
    for event in events:
        rebuilt.take(event)
    return rebuilt


def _stored(value: Any) -> Any:
    """A recorded value as its column holds it: flags are numbers."""
    return int(value) if isinstance(value, bool) else value
