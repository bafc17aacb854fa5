"""What people wish about being told, within what their office allows: channels in their order, declined routes, the digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loop.engine.dispatch import Postage
from loop.kernel.errors import Fault, Invalid
from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Channel
from loop.kernel.routes import Liking, Route
from loop.store import contacts
from loop.store.contacts import Contact
from loop.store.session import Tx


@dataclass(frozen=True, slots=True)
class Wishes:
    """One person's contacts and wishes, and what the office offers."""

    contacts: tuple[Contact, ...]
    liking: Liking
    channels: tuple[Channel, ...]
    """Every channel by which a person can be reached."""
    routes: tuple[Route, ...]


def wishes_of(tx: Tx, person_id: str, postage: Postage, channels: Mapping[str, Channel]) -> Wishes:
    """What this person wishes, and what there is to wish for."""
    held, liking = contacts.liking_of(tx, person_id)
    return Wishes(held, liking, offered(postage, channels), postage.routes)


def offered(postage: Postage, channels: Mapping[str, Channel]) -> tuple[Channel, ...]:
    """The configured channels that reach a person at an address of theirs."""
    return tuple(channels[name] for name, way in postage.ways.items() if way.reaches == PERSON)


def set_wishes(
    tx: Tx, person_id: str, wanted: Sequence[Contact], *, off: Iterable[str], digest: bool, postage: Postage,
    channels: Mapping[str, Channel],
) -> None:  # fmt: skip
    """Put these wishes in place of the earlier ones; raises Invalid for what the office does not offer or allow."""
    known = {channel.name: channel for channel in offered(postage, channels)}
    faults: list[Fault] = []
    for place, contact in enumerate(wanted):
        if contact.channel not in known:
            names = "、".join(known) or "无"
            text = Label(
                f"没有这个渠道；可选：{names}。",
                f"there is no such channel; choose one of: {', '.join(known) or 'none'}",
            )
            faults.append(Fault(f"channels.{place}.channel", "unknown", text))
        elif refusal := known[contact.channel].refuses(contact.address):
            faults.append(Fault(f"channels.{place}.address", "address", refusal))
    names_given = [contact.channel for contact in wanted]
    if len(set(names_given)) != len(names_given):
        faults.append(
            Fault("channels", "repeated", Label("每个渠道只能填写一次。", "each channel may be given once only."))
        )
    may = {route.name for route in postage.routes if route.may_be_off}
    declined = frozenset(off)
    if strange := sorted(declined - may):
        text = Label(f"不能关闭：{'、'.join(strange)}。", f"cannot be switched off: {', '.join(strange)}.")
        faults.append(Fault("off", "not_allowed", text))
    if faults:
        raise Invalid(faults)
    contacts.wish(tx, person_id, wanted, off=declined, digest=digest)
