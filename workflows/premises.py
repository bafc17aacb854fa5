"""What the declarations do not say by themselves, for the model check."""

from __future__ import annotations

from loop.kernel.model import Premises
from workflows.back import BACK, BACK_ON_DROP, BACK_TO_WORK
from workflows.ladder import SYSTEM_PAYLOADS

PREMISES = Premises(
    system_payloads=SYSTEM_PAYLOADS,
    dated=frozenset({"milestone", "suspension_end", "publicity"}),
    commanded=frozenset({"move_deadlines", "make_good"}),
    returns=frozenset(fork.name for fork in (BACK, BACK_ON_DROP, BACK_TO_WORK)),
)
