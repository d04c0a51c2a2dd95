"""Multiaddresses: what we can listen on, what we can dial, and where we are reachable."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import ifaddr
from multiaddr import Multiaddr

from pico_node.peers.errors import BadAddress

_HOSTS = ("ip4", "ip6", "dns", "dns4", "dns6")
_ADDRESSES_MAX = 16  # of one peer; more help nobody, and each may cost a time-out


def parse_listen(address: str) -> tuple[str, int]:
    """The IP and port of `/ip4/…/tcp/…` or `/ip6/…/tcp/…`. Raises BadAddress."""
    parts = _protocols(address)
    if [name for name, _ in parts] not in (["ip4", "tcp"], ["ip6", "tcp"]):
        raise BadAddress(f"cannot listen on {address!r}: neither /ip4/…/tcp/… nor /ip6/…/tcp/…")
    return parts[0][1], int(parts[1][1])


def split_peer(address: str) -> tuple[str, str]:
    """An address that ends in `/p2p/<peer id>`: the peer id, and what stands before. Raises BadAddress."""
    parts = _protocols(address)
    if not parts or parts[-1][0] != "p2p":
        raise BadAddress(f"{address!r} does not end in /p2p/<peer id>")
    return parts[-1][1], _spell(parts[:-1])


def dialable(peer_id: str, addresses: Iterable[str]) -> list[tuple[str, int]]:
    """The hosts and ports at which we can dial this peer, each once; all other addresses are passed over."""
    found: dict[tuple[str, int], None] = {}
    for address in addresses:
        try:
            parts = _protocols(address)
        except BadAddress:
            continue
        if parts and parts[-1][0] == "p2p":
            if parts[-1][1] != peer_id:
                continue
            parts = parts[:-1]
        if len(parts) == 2 and parts[0][0] in _HOSTS and parts[1][0] == "tcp" and int(parts[1][1]):
            found[parts[0][1], int(parts[1][1])] = None
    return list(found)[:_ADDRESSES_MAX]


def reachable(bound: Sequence[tuple[str, int]], peer_id: str) -> list[str]:
    """Where others can dial us, given where we listen: a wildcard becomes the addresses of all interfaces."""
    found: dict[str, None] = {}
    for host, port in bound:
        ip = ipaddress.ip_address(host)
        for each in _interface_ips(ip.version) if ip.is_unspecified else [host]:
            found[f"/ip{ip.version}/{each}/tcp/{port}/p2p/{peer_id}"] = None
    return list(found)


def _interface_ips(version: int) -> list[str]:
    ips = []
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            text = address.ip if isinstance(address.ip, str) else address.ip[0]
            ip = ipaddress.ip_address(text)
            if ip.version == version and not ip.is_link_local:  # link-local ones need a zone: not dialable
                ips.append(text)
    return sorted(ips, key=lambda text: ipaddress.ip_address(text).is_loopback)


def _protocols(address: str) -> list[tuple[str, str]]:
    try:
        return [(protocol.name, str(value)) for protocol, value in Multiaddr(address).items()]
    except Exception:  # noqa: BLE001 - multiaddr raises many kinds, all mean the same
        raise BadAddress(f"{address[:200]!r} is not a multiaddress") from None


def _spell(parts: Sequence[tuple[str, str]]) -> str:
    return "".join(f"/{name}/{value}" for name, value in parts)
