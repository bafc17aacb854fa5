"""How a tip-off stands, in words for who reported it and for the office."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.labels import Label
from loop.store.tip_offs import ANSWERED, CHECKING, RECEIVED, REFUSED

STATUS: Mapping[str, Label] = {
    RECEIVED: Label("已收到", "received"),
    CHECKING: Label("核查中", "being checked"),
    ANSWERED: Label("已答复", "answered"),
    REFUSED: Label("不予受理", "not taken up"),
}
SENTENCES: Mapping[str, Label] = {
    RECEIVED: Label("督导机构已收到，正在安排核查。", "The supervision office has it and will have it checked."),
    CHECKING: Label("督导机构正在核查。", "The supervision office is checking it."),
    ANSWERED: Label("已办结，答复如下。", "It is closed; this is the answer."),
    REFUSED: Label("经审核不予受理，理由如下。", "It is not taken up; these are the reasons."),
}
"""What who reported is told; the answer itself stands below."""
