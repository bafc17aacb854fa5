"""Which addresses of the internet protocol may be reached: public ones, and those in networks that the office opened."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The registries of special-purpose addresses (RFC 6890 and its successors). The standard library's own properties
# differ between releases of Python, and a wall must not.
CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
OPEN_6 = IPv6Network("2000::/3")
"""All that is given out for public use; what lies outside is loopback, link-local, private, multicast or nobody's."""
CLOSED_6 = tuple(
    # Protocol assignments with Teredo, documentation, 6to4: a tunnel ends where its address hides it.
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")


def plainest(address: Address) -> Address:
    """The address itself, or the IPv4 address that an IPv6 one merely spells."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def may_reach(address: Address, opened: tuple[Network, ...]) -> bool:
    """Whether the address is public or lies in one of the opened networks."""
    here = plainest(address)
    if any(here in network for network in opened):
        return True
    if isinstance(here, IPv4Address):
        return not any(here in network for network in CLOSED_4)
    if here in NAT64:
        return may_reach(IPv4Address(int(here) & 0xFFFFFFFF), opened)
    return here in OPEN_6 and not any(here in network for network in CLOSED_6)
