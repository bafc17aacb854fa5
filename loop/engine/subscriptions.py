"""Programs that subscribe to what happens: webhooks made, changed and given new secrets by the person they belong to."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from loop.kernel.errors import Invalid, NotFound
from loop.kernel.finding import NEVER
from loop.kernel.messages import Channel
from loop.kernel.people import UNIT_ROLES, Actor
from loop.kernel.workflow import Workflow
from loop.store import webhooks
from loop.store.places import new_id
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.webhooks import CHANNEL, Secret, Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105  how Standard Webhooks marks a secret
MOST_OF_A_PERSON = 20


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The webhooks of one installation; `real` times are the machine's."""

    workflow: Workflow
    channels: Mapping[str, Channel]

    def add(
        self, tx: Tx, owner: Actor, *, name: str, url: str, region: str | None, unit: str | None, actions: Sequence[str],
        real: datetime,
    ) -> tuple[Webhook, str]:  # fmt: skip
        """A new webhook of `owner` and its secret, told this once; raises Invalid."""
        if len(webhooks.of_person(tx, owner.id, limit=MOST_OF_A_PERSON)) >= MOST_OF_A_PERSON:
            raise Invalid.field(
                "name", f"每人最多 {MOST_OF_A_PERSON} 个订阅。", f"a person has at most {MOST_OF_A_PERSON}."
            )
        at_region, at_unit = self._place(owner, region, unit)
        secret = new_secret()
        hook = Webhook(
            id=new_id(), person_id=owner.id, name=name, url=self._url(url), region=at_region, unit_id=at_unit,
            actions=self._actions(actions), secrets=(Secret(secret),), created_at=real,
        )  # fmt: skip
        webhooks.add(tx, hook)
        return hook, secret

    def own(self, tx: Tx, owner: Actor, id_: str) -> Webhook:
        """The webhook with this id, if it is `owner`'s; raises NotFound."""
        hook = webhooks.get(tx, id_)
        if hook is None or hook.person_id != owner.id:
            raise NotFound
        return hook

    def change(self, tx: Tx, hook: Webhook, changes: Mapping[str, Any]) -> Webhook:
        """The webhook with some of name, url, actions, active changed. Switched on again, it has never failed."""
        wanted = dict(changes)
        if "url" in wanted:
            wanted["url"] = self._url(wanted["url"])
        if "actions" in wanted:
            wanted["actions"] = self._actions(wanted["actions"])
        if wanted.get("active") and not hook.active:
            wanted |= {"failures": 0, "failing_since": NEVER, "off_reason": None}
        after = replace(hook, **wanted)
        webhooks.change(tx, after)
        return after

    def rotate(self, tx: Tx, hook: Webhook, keep: timedelta, real: datetime) -> tuple[Webhook, str]:
        """The webhook with a new secret, told this once; letters are signed with the old one as well for `keep`."""
        secret = new_secret()
        old = tuple(
            replace(one, until=min(one.until or real + keep, real + keep))
            for one in hook.secrets
            if one.until is None or one.until > real
        )
        after = replace(hook, secrets=(Secret(secret), *(old if keep else ())))
        webhooks.change(tx, after)
        return after, secret

    def _place(self, owner: Actor, region: str | None, unit: str | None) -> tuple[str, str]:
        """Where the webhook listens, as region or unit: of the owner's, or the first that the owner has."""
        regions = [p.region for p in owner.posts if p.role in SEES_REGION and p.region and p.for_id is None]
        units = [p.unit_id for p in owner.posts if p.role in UNIT_ROLES and p.unit_id and p.for_id is None]
        if unit is None and region is None and (regions or units):
            return (regions[0][-1], "") if regions else ("", units[0])
        if unit is not None and unit in units and region is None:
            return "", unit
        if region is not None and unit is None and any(path[-1] == region for path in regions):
            return region, ""
        raise Invalid.field(
            "region",
            "只能订阅本人任职的地区或单位。",
            "must be a region or unit in which you hold a post.",
            "not_yours",
        )

    def _url(self, url: str) -> str:
        if refusal := self.channels[CHANNEL].refuses(url):
            raise Invalid.field("url", refusal.zh, refusal.en, "address")
        return url

    def _actions(self, actions: Sequence[str]) -> tuple[str, ...]:
        if strange := sorted(set(actions) - set(self.workflow.actions)):
            named = ", ".join(strange)
            raise Invalid.field("actions", f"没有这些事项：{named}。", f"there is no {named}.", "unknown")
        return tuple(sorted(set(actions)))


def new_secret() -> str:
    """A fresh secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
