"""Who may see which finding: the only place that turns a person into a WHERE clause.

Office, leader and auditor posts see the findings whose unit lies in their region; a unit and its department see theirs
once something has been served; an administrator sees none.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.sql.expression import FromClause

from loop.kernel.finding import Finding
from loop.kernel.people import AUDITOR, DEPARTMENT, LEADER, OFFICE_ROLES, UNIT, Actor, Path, Post
from loop.store.core import table_of
from loop.store.session import Tx
from loop.store.tables import FindingRow

SEES_REGION = OFFICE_ROLES | {LEADER, AUDITOR}
LEVELS = ("r1", "r2", "r3", "r4")
"""The columns that hold a region's path below the country, one step each."""

_FINDING = table_of(FindingRow)


def levels(path: Path) -> dict[str, str]:
    """A region's path as the level columns of a finding: by steps below the country, empty beyond its own."""
    return dict(zip(LEVELS, (*path[1:5], "", "", "", ""), strict=False))


def within(path: Path, finding: FromClause = _FINDING) -> ColumnElement[bool]:
    """Findings whose unit lies in the region with `path`; codes are unique, so its own level decides."""
    if not path:
        return false()
    return true() if len(path) == 1 else finding.c[LEVELS[len(path) - 2]] == path[-1]


def grounds(actor: Actor, finding: FromClause = _FINDING) -> tuple[ColumnElement[bool], ...]:
    """One condition for each different ground of seeing that the actor's posts give; each can use an index."""
    return (
        *(within(path, finding) for path in regions(actor)),
        *(and_(finding.c.unit_id == id_, finding.c.served == 1) for id_ in at_units(actor, UNIT)),
        *(and_(finding.c.department_id == id_, finding.c.served == 1) for id_ in at_units(actor, DEPARTMENT)),
    )


def regions(actor: Actor) -> list[Path]:
    """The regions in which the actor sees everything, each the widest of its kind."""
    return _widest({post.region for post in actor.posts if post.role in SEES_REGION and post.region})


def at_units(actor: Actor, role: str) -> list[str]:
    """The units at which the actor holds posts of this role."""
    return sorted({post.unit_id for post in actor.posts if post.role == role and post.unit_id})


def in_reach(actor: Actor, finding: FromClause = _FINDING) -> ColumnElement[bool]:
    """The findings that `actor` may see; none without a post that sees."""
    return or_(false(), *grounds(actor, finding))


def numbers(tx: Tx, actor: Actor) -> list[str]:
    """The numbers of all findings that `actor` may see."""
    return [row[0] for row in tx.select(select(_FINDING.c.number).where(in_reach(actor)).order_by(_FINDING.c.number))]


def may_see(actor: Actor, finding: Finding) -> bool:
    """The same as `in_reach`, on a value."""
    return any(_sees(post, finding) for post in actor.posts)


def _sees(post: Post, finding: Finding) -> bool:
    if post.role in SEES_REGION:
        return post.covers(finding.place.region)
    if post.role == UNIT:
        return finding.served and post.unit_id == finding.unit_id
    if post.role == DEPARTMENT:
        return finding.served and post.unit_id is not None and post.unit_id == finding.department_id
    return False


def _widest(paths: set[Path]) -> list[Path]:
    """Only the regions that do not lie in another one of them."""
    return sorted(p for p in paths if not any(p != other and p[: len(other)] == other for other in paths))
