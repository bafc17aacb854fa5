"""The workflow of the rectification loop, declared as values: eight systems, look-back, dispute, ladder, anytime actions.

To change the law, change one file here. `declared()` joins the files and refuses, by name, what does not fit.
"""

from __future__ import annotations

from functools import cache

from loop.kernel.workflow import Workflow, join
from workflows import (
    accountability,
    anytime,
    bulletin,
    commendation,
    dispute,
    feedback,
    interview,
    ladder,
    lookback,
    publication,
    rectification,
    report,
    review,
)
from workflows.letters import LETTERS
from workflows.stages import STAGES
from workflows.timers import TIMERS

VERSION = "1"
SYSTEMS = (report, feedback, rectification, review, commendation, interview, bulletin, accountability, lookback)


@cache
def declared() -> Workflow:
    """The whole workflow; raises `BadWorkflow` naming what does not fit."""
    states = tuple(state for system in SYSTEMS for state in system.STATES)
    actions = tuple(action for part in (*SYSTEMS, anytime, publication, ladder, dispute) for action in part.ACTIONS)
    return join(VERSION, STAGES, states, dispute.STATES, actions, TIMERS, LETTERS)
