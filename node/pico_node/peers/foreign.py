"""The protocol id `didcomm/v2` of the DIF: one DIDComm message per stream, with its length before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pico_node.peers.errors import Misbehaved
from pico_node.peers.limits import PeerLimits

PROTOCOL = "didcomm/v2"  # without a leading slash: DIDComm Messaging v2.1, "Libp2p" transport
_VARINT_BYTES_MAX = 5
_READ_BYTES = 64 * 1024
_PEERS_KEPT = 1024  # more are remembered only while they talk


class Readable(Protocol):
    """What reading a message needs of a stream."""

    async def read(self, n: int) -> bytes: ...


def encode_varint(number: int) -> bytes:
    """Unsigned LEB128, as libp2p writes lengths."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode_varint(data: bytes | bytearray) -> tuple[int, int] | None:
    """The number at the start of `data` and its length in bytes; None when there is more to come."""
    number = 0
    for position, byte in enumerate(data[:_VARINT_BYTES_MAX]):
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return number, position + 1
    if len(data) >= _VARINT_BYTES_MAX:
        raise Misbehaved("a length that does not end")
    return None


async def read_message(stream: Readable, bytes_max: int) -> bytes:
    """One message. Raises Misbehaved when it is too long or incomplete."""
    buffer = bytearray()
    while (prefix := decode_varint(buffer)) is None:
        buffer += await _some(stream)
    length, start = prefix
    if length > bytes_max:
        raise Misbehaved(f"a message of {length} bytes, {bytes_max} are allowed")
    while len(buffer) - start < length:
        buffer += await _some(stream)
    if len(buffer) - start > length:
        raise Misbehaved("something behind the message")
    return bytes(buffer[start:])


async def _some(stream: Readable) -> bytes:
    data = await stream.read(_READ_BYTES)
    if not data:
        raise Misbehaved("the stream ended within a message")
    return data


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate_per_s` on average, `burst` at once."""

    rate_per_s: float
    burst: float
    level: float
    at_s: float

    def has(self, now_s: float) -> bool:
        """Whether one more is allowed now."""
        self.level = min(self.burst, self.level + (now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        return self.level >= 1

    def take(self, now_s: float) -> bool:
        """Use one up; False when there is none."""
        if not self.has(now_s):
            return False
        self.level -= 1
        return True

    def is_full(self, now_s: float) -> bool:
        """Whether it may be forgotten: a new one would say the same."""
        return self.level + (now_s - self.at_s) * self.rate_per_s >= self.burst


class Throttle:
    """How often strangers may hand in messages: each peer, and all together."""

    def __init__(self, limits: PeerLimits, now_s: float) -> None:
        self._limits = limits
        burst = float(limits.foreign_total_burst)
        self._total = Bucket(limits.foreign_total_per_s, burst, burst, now_s)
        self._peers: dict[str, Bucket] = {}
        self._tidy_at = _PEERS_KEPT

    def admits(self, peer_id: str, now_s: float) -> bool:
        """Whether this peer may hand in one more message now."""
        if not self._total.has(now_s):
            return False  # and no memory spent on whoever asks
        bucket = self._peers.get(peer_id)
        if bucket is None:
            if len(self._peers) >= self._tidy_at:
                self._peers = {peer: b for peer, b in self._peers.items() if not b.is_full(now_s)}
                self._tidy_at = max(_PEERS_KEPT, 2 * len(self._peers))
            burst = float(self._limits.foreign_per_peer_burst)
            bucket = self._peers[peer_id] = Bucket(self._limits.foreign_per_peer_per_s, burst, burst, now_s)
        return bucket.take(now_s) and self._total.take(now_s)
