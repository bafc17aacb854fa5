"""Which papers somebody may read: those made at a step that is open to them, of a finding that they see."""

from __future__ import annotations

from collections.abc import Collection
from json import loads
from typing import Any

from loop.kernel.errors import NotFound
from loop.kernel.finding import Finding
from loop.kernel.people import Actor
from loop.store import findings, papers, reach
from loop.store.paging import storable
from loop.store.papers import Document, Link
from loop.store.session import Tx
from loop.store.sight import open_steps, sight_of


def paper_seen(tx: Tx, actor: Actor, id_: str) -> tuple[Document, list[str]]:
    """The paper and those of its findings that `actor` may see; raises NotFound where there is none of them."""
    found = papers.get(tx, id_) if storable(id_) else None
    if found is None:
        raise NotFound
    paper, links = found
    known = findings.load_many(tx, [link.chain for link in links], lock=False)
    seen = [link for link in links if link.chain in known and reach.may_see(actor, known[link.chain])]
    if not any(_is_open(tx, actor, paper, known[link.chain], link) for link in seen):
        raise NotFound
    return paper, [link.chain for link in seen]


def content_seen(paper: Document, about: Collection[str]) -> dict[str, Any]:
    """The content, without those of its findings that are none of `about`."""
    content: dict[str, Any] = loads(paper.content)
    if "findings" in content:
        content["findings"] = [one for one in content["findings"] if one["number"] in about]
    return content


def _is_open(tx: Tx, actor: Actor, paper: Document, finding: Finding, link: Link) -> bool:
    shown = open_steps(tx, link.chain, sight_of(actor, finding))
    return shown is None or (link.seq in shown and not paper.internal)
