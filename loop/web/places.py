"""The addresses of pages about things that have a history: where a list sends its reader."""

from __future__ import annotations

from urllib.parse import quote, urlencode

KINDS = {"supervision": "/supervisions", "tip-off": "/tip-offs"}
ALARM = "alarm"
"""What goes wrong with telling people has a history of its own for each office."""


def page_of(chain: str, step: str = "") -> str:
    """The page about the finding, supervision or tip-off whose history this is; about an alarm where it is dealt with."""
    kind, _, id_ = chain.rpartition(":")
    if kind == ALARM:
        return "/webhooks" if step == "endpoint_off" else "/admin/gaps"
    return f"{KINDS[kind]}/{quote(id_, safe='')}" if kind else finding_page(chain)


def finding_page(number: str) -> str:
    """The page of a finding."""
    return f"/findings/{quote(number, safe='')}"


def attachment_page(id_: str) -> str:
    """The page of one file of a finding."""
    return f"/attachments/{quote(id_, safe='')}"


def attachment_file(id_: str) -> str:
    """The file itself."""
    return f"/api/v1/attachments/{quote(id_, safe='')}"


def action_page(number: str, action: str) -> str:
    """The form of an action on a finding."""
    return f"{finding_page(number)}/actions/{quote(action, safe='')}"


def ledger_page(**filters: object) -> str:
    """The ledger with these filters, as its address writes them."""
    written = {name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()}
    return f"/findings?{urlencode(written, doseq=True)}" if written else "/findings"
