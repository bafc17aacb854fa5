"""The addresses of pages about things that have a history: where a list sends its reader."""

from __future__ import annotations

from urllib.parse import quote

KINDS = {"supervision": "/supervisions", "tip-off": "/tip-offs"}


def page_of(chain: str) -> str:
    """The page about the finding, supervision or tip-off whose history this is."""
    kind, _, id_ = chain.rpartition(":")
    return f"{KINDS[kind]}/{quote(id_, safe='')}" if kind else finding_page(chain)


def finding_page(number: str) -> str:
    """The page of a finding."""
    return f"/findings/{quote(number, safe='')}"


def action_page(number: str, action: str) -> str:
    """The form of an action on a finding."""
    return f"{finding_page(number)}/actions/{quote(action, safe='')}"
