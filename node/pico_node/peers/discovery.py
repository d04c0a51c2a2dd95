"""Finding peers on the local network: libp2p's mDNS records, by zeroconf on the asyncio loop."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pico_node.peers.addresses import split_peer
from pico_node.peers.errors import BadAddress

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger("picomesh.peers")

SERVICE = "_p2p._udp.local."  # libp2p specification, discovery/mdns
NAME_BYTES = 20  # the peer name is 32 to 63 random characters; 40 hexadecimal ones here
LOOKUP_TIMEOUT_MS = 3000
LOOKUPS_AT_ONCE_MAX = 32  # answers come from anybody on the network
TEXT_BYTES_MAX = 255  # of one string in a TXT record


def encode_text(addresses: Sequence[str]) -> bytes:
    """The TXT record: one string `dnsaddr=<address>` for each address."""
    out = bytearray()
    for address in addresses:
        entry = b"dnsaddr=" + address.encode()
        if len(entry) <= TEXT_BYTES_MAX:
            out += bytes([len(entry)]) + entry
    return bytes(out)


def decode_text(text: bytes) -> dict[str, list[str]]:
    """Addresses by peer id. Entries that make no sense are passed over: anybody can send them."""
    found: dict[str, list[str]] = {}
    position = 0
    while position < len(text):
        end = position + 1 + text[position]
        key, _, value = text[position + 1 : end].partition(b"=")
        position = end
        if not key.startswith(b"dnsaddr"):  # py-libp2p numbers them: dnsaddr2, dnsaddr3
            continue
        try:
            address = value.decode("ascii")
            found.setdefault(split_peer(address)[0], []).append(address)
        except (UnicodeDecodeError, BadAddress):
            continue
    return found


class LocalDiscovery:
    """Announces this node and reports others. Everything runs on the asyncio loop and blocks nothing."""

    def __init__(self, peer_id: str, found: Callable[[str, list[str]], None]) -> None:
        self._peer_id = peer_id
        self._found = found
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._info: AsyncServiceInfo | None = None
        self._lookups: set[asyncio.Task[None]] = set()

    async def start(self, addresses: Sequence[str]) -> None:
        """Announce these addresses; takes a second, to see that nobody else has our name.

        A network without multicast is no reason not to run: it is logged.
        """
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

        ips = sorted({address.split("/")[2] for address in addresses if address.startswith("/ip4/")})
        name = secrets.token_hex(NAME_BYTES)
        try:
            self._zeroconf = AsyncZeroconf(interfaces=ips)
            info = AsyncServiceInfo(
                SERVICE,
                f"{name}.{SERVICE}",
                port=int(addresses[0].split("/")[4]),
                properties=encode_text(addresses),
                server=f"{name}.local.",
                addresses=[ipaddress.ip_address(ip).packed for ip in ips],
            )
            await self._zeroconf.async_register_service(info)
            self._info = info
            self._browser = AsyncServiceBrowser(
                self._zeroconf.zeroconf, SERVICE, handlers=[self._state_changed]
            )
        except (OSError, RuntimeError) as error:
            log.warning("not looking for peers on the local network: %s", error)
            await self.stop()

    async def stop(self) -> None:
        """Take the announcement back."""
        for task in self._lookups:
            task.cancel()
        await asyncio.gather(*self._lookups, return_exceptions=True)
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._zeroconf is not None:
            if self._info is not None:
                said = await self._zeroconf.async_unregister_service(self._info)
                await said
            await self._zeroconf.async_close()
        self._browser = self._zeroconf = self._info = None

    def _state_changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change.name == "Removed" or len(self._lookups) >= LOOKUPS_AT_ONCE_MAX:
            return
        task = asyncio.get_running_loop().create_task(self._look_up(zeroconf, service_type, name))
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _look_up(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        try:
            info = AsyncServiceInfo(service_type, name)
            if not await info.async_request(zeroconf, LOOKUP_TIMEOUT_MS):
                return
            for peer_id, addresses in decode_text(info.text).items():
                if peer_id != self._peer_id:
                    self._found(peer_id, addresses)
        except Exception:
            log.exception("a peer on the local network could not be looked up")
