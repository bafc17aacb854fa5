"""On what the deadlines rest: of what nature it is, and what the rule says of it beyond that."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.labels import Label
from loop.kernel.reference import beyond
from loop.kernel.rules import Rule

NATURES: Mapping[str, Label] = {
    "V": Label("已核实", "verified"),
    "A": Label("类推适用", "by analogy"),
    "P": Label("产品默认", "product default"),
    "O": Label("本机构设定", "the office's own"),
}
"""On what a rule rests, in a word."""
NATURES_SAID: Mapping[str, Label] = {
    "V": Label("教育督导法规或实践中查到的期限。", "Found in the law or practice of education supervision."),
    "A": Label(
        "教育督导未见规定，参照其他领域的规定。", "Nothing found in education supervision; taken from another field."
    ),
    "P": Label("未见规定，由本产品设定，不是法定期限。", "No rule found; set by this product, not by law."),
    "O": Label("由本机构在配置中设定。", "Set by this office in its configuration."),
}


def source(rule: Rule) -> Label:
    """On what a rule rests, beyond its nature."""
    return beyond(rule.basis, rule.provenance)
