"""Whose board it is: who may look at one, and at which regions."""

from __future__ import annotations

from dataclasses import dataclass

from loop.kernel.errors import Forbidden, NotFound
from loop.kernel.people import Path, Post
from loop.store import places
from loop.store.paging import storable
from loop.store.session import Tx
from loop.web.chrome import BOARD_ROLES
from loop.web.page import Visitor


@dataclass(frozen=True, slots=True)
class Scope:
    """The region that is looked at, by its path; `top` is the widest region of the reader around it, `others` the rest."""

    path: Path
    name: str
    top: Path
    others: tuple[Path, ...]

    @property
    def code(self) -> str:
        """The region's code."""
        return self.path[-1]


def scope_of(tx: Tx, visitor: Visitor, asked: str | None) -> Scope:
    """The region asked for, or the widest of the reader's own. Raises Forbidden for those who have no board, NotFound for
    a region that is not theirs or that there is not.
    """
    if not visitor.holds(*BOARD_ROLES):
        raise Forbidden
    own = _widest(visitor.actor.posts)
    if not own:
        raise Forbidden
    code = asked or own[0][-1]
    found = places.find_region(tx, code) if storable(code) else None
    top = next((path for path in own if found and found.path[: len(path)] == path), None)
    if found is None or top is None:
        raise NotFound
    return Scope(found.path, found.name, top, tuple(path for path in own if path != top))


def _widest(posts: tuple[Post, ...]) -> list[Path]:
    """The regions of the posts that do not lie in another one of them, the widest first."""
    held = {post.region for post in posts if post.role in BOARD_ROLES and post.region}
    return sorted(
        (p for p in held if not any(p != other and p[: len(other)] == other for other in held)),
        key=lambda path: (len(path), path),
    )
