"""The one thing to do next about a deadline, by this reader."""

from __future__ import annotations

from loop.kernel.people import Actor
from loop.kernel.workflow import Action, Workflow


def next_step(flow: Workflow, actor: Actor, rule: str, state: str) -> Action | None:
    """The one action of this reader that answers a timer; None where there are several to choose from, or none."""
    roles = {post.role for post in actor.posts}
    found = [
        action
        for action in flow.actions.values()
        if rule in action.answers and roles & set(action.by) and any(state in move.sources for move in action.moves)
    ]
    return found[0] if len(found) == 1 else None
