"""Where the node may ask on behalf of rulesets: public addresses, and what the owner opened.

A ruleset must not reach what only this machine or its network can: other programs on loopback, routers,
printers, the metadata services of clouds. Names prove nothing (a public name may lead to a private address,
and to another one a second later), so what counts is the address at the moment it is dialled.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path

from pico_engine.errors import BadRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = (
    ipaddress.ip_address("168.63.129.16"),  # Azure's, which has a public address; others are link-local
)
_SPECIAL = (
    ipaddress.ip_network("192.0.0.0/24"),  # IETF's protocols; a cloud's metadata service among them
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4, long out of use
)
_TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),  # RFC 6052
    ipaddress.ip_network("64:ff9b:1::/48"),  # RFC 8215
)


def is_public(address: Address) -> bool:
    """Is this an address of the open internet, whichever way it is written?"""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is None and any(address in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if int(address) >> 32 == 0 or address.is_site_local:  # two forms that are long out of use
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and address not in METADATA
        and not any(address in network for network in _SPECIAL)
    )


def address_of(text: str) -> Address | None:
    """The address that a host of a URL spells, without its zone; None for a name."""
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


class EgressPolicy:
    """What the owner opened beside the public internet.

    `allow`: names, addresses and networks (`10.1.0.0/16`). `folders`: files in and below these may be
    rulesets.
    """

    def __init__(self, allow: Iterable[str] = (), folders: Iterable[Path] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for one in allow:
            self._add(one)
        self._folders = tuple(folder.resolve() for folder in folders)

    def _add(self, text: str) -> None:
        word = text.strip().strip("[]").lower()
        try:
            self._networks.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            if not word or "/" in word or ":" in word:
                raise BadRequest(
                    f"{text!r} is no host that requests could be allowed to",
                    "write a name, an address or a network like 192.168.1.0/24, without a port",
                ) from None
            self._names.add(word.rstrip("."))

    def admits_name(self, host: str) -> bool:
        """Did the owner open this name, wherever it leads?"""
        return host.lower().rstrip(".") in self._names

    def admits_address(self, address: Address) -> bool:
        """May this address be dialled?"""
        if is_public(address):
            return True
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any(
            one in network
            for network in self._networks
            for one in (address, inner)
            if one is not None and one.version == network.version
        )

    def admits_file(self, path: Path) -> bool:
        """May this file be read as a ruleset? Links are followed before it is decided."""
        real = path.resolve()
        return any(real.is_relative_to(folder) for folder in self._folders)
