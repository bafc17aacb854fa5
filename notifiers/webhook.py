"""Webhooks for programs, signed as Standard Webhooks lays down: one id over all attempts, a signature for each secret.

What the other side says is not repeated in errors: whoever names an address must not read through it.
"""

from __future__ import annotations

from datetime import UTC

from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from loop.kernel.labels import Label
from loop.kernel.messages import PROGRAM, Letter, SendFailed
from notifiers import reasons
from notifiers.options import ChannelOptions, Configured


class Webhook(Configured[ChannelOptions]):
    """Reaches the program at the letter's address."""

    kind = "webhook"
    reaches = PROGRAM

    def refuses(self, address: str) -> Label | None:
        return self._egress.refuses(address)

    async def send(self, letter: Letter) -> bool:
        """Post the letter's body; a status of success is the program's receipt."""
        if not letter.secrets:
            raise SendFailed(reasons.UNSIGNED, permanent=True)
        now = self._egress.now().astimezone(UTC)
        try:
            body = letter.body.encode()
            signatures = [Signer(secret).sign(letter.id, now, letter.body) for secret in letter.secrets]
        except (ValueError, EmptyWebhookSecretError) as wrong:
            raise SendFailed(reasons.UNSIGNABLE, permanent=True) from wrong
        answer = await self._egress.request(
            letter.address,
            content=body,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Webhook-Id": letter.id,
                "Webhook-Timestamp": str(int(now.timestamp())),
                "Webhook-Signature": " ".join(signatures),
            },
        )
        answer.check()
        return True
