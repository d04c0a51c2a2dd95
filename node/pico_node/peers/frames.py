"""How a session looks on the wire: a preamble, then length-prefixed frames.

Both sides send PREAMBLE and HELLO at once. Of the two, the one with the smaller peer id decides with ACCEPT
whether this stream becomes the session (see links.py). DATA follows. PING asks for a PONG, BYE says why a
stream ends.

    stream   = preamble *frame
    preamble = "picomesh" version        ; 8 bytes, 1 byte
    frame    = length kind payload       ; 4 bytes (of the payload, big-endian), 1 byte
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from pico_node.peers.errors import Misbehaved

PROTOCOL = "/picomesh/frames/1.0.0"
PREAMBLE = b"picomesh\x01"
INSTANCE_BYTES = 16
CONTROL_BYTES_MAX = 256  # HELLO, PING and BYE are short; nobody may make us buffer more before ACCEPT

_HEADER = struct.Struct("!IB")
_HELLO = struct.Struct(f"!{INSTANCE_BYTES}sI")


class Kind(IntEnum):
    """What a frame is. Numbers are part of the wire format."""

    HELLO = 1
    ACCEPT = 2
    BYE = 3
    PING = 4
    PONG = 5
    DATA = 6


_KINDS = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Hello:
    """`instance` is new each time a node starts; `frame_bytes_max` is the largest DATA it takes."""

    instance: bytes
    frame_bytes_max: int

    def encode(self) -> bytes:
        return _HELLO.pack(self.instance, self.frame_bytes_max)

    @classmethod
    def decode(cls, payload: bytes) -> Hello:
        """Longer ones are taken, so that later versions may say more."""
        if len(payload) < _HELLO.size:
            raise Misbehaved("a HELLO that is too short")
        return cls(*_HELLO.unpack_from(payload))


def header(kind: Kind, length: int) -> bytes:
    """What goes before a payload of this length."""
    return _HEADER.pack(length, kind)


def encode(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEADER.pack(len(payload), kind) + payload


class FrameReader:
    """Cuts what arrives into frames. `feed` raises Misbehaved at the first byte that cannot be right.

    Until `open_data` is called DATA is refused: nobody sends any before ACCEPT.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._preamble_seen = False
        self._data_bytes_max = -1

    @property
    def buffered(self) -> int:
        """Bytes of a frame that is not complete yet."""
        return len(self._buffer)

    def open_data(self, frame_bytes_max: int) -> None:
        """From now on DATA of up to this size is taken."""
        self._data_bytes_max = frame_bytes_max

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that `data` completes. One call may leave the rest unread after ACCEPT: call again."""
        self._buffer += data
        if not self._preamble_seen and not self._take_preamble():
            return []
        frames: list[tuple[Kind, bytes]] = []
        buffer, position, end = self._buffer, 0, len(self._buffer)
        while end - position >= _HEADER.size:
            length, number = _HEADER.unpack_from(buffer, position)
            kind = self._check(number, length)
            start = position + _HEADER.size
            if end - start < length:
                break
            position = start + length
            frames.append((kind, bytes(buffer[start:position])))
            if kind is Kind.ACCEPT:
                break  # what follows may be DATA, allowed only once the caller has agreed
        del buffer[:position]
        return frames

    def _take_preamble(self) -> bool:
        head = bytes(self._buffer[: len(PREAMBLE)])
        if not PREAMBLE.startswith(head):
            raise Misbehaved("not a stream of frames")
        if len(head) < len(PREAMBLE):
            return False
        del self._buffer[: len(PREAMBLE)]
        self._preamble_seen = True
        return True

    def _check(self, number: int, length: int) -> Kind:
        kind = _KINDS.get(number)
        if kind is None:
            raise Misbehaved(f"an unknown kind of frame ({number})")
        if kind is not Kind.DATA:
            if length > CONTROL_BYTES_MAX:
                raise Misbehaved(f"a {kind.name} of {length} bytes")
        elif self._data_bytes_max < 0:
            raise Misbehaved("DATA before the session was accepted")
        elif length > self._data_bytes_max:
            raise Misbehaved(f"a frame of {length} bytes, {self._data_bytes_max} are allowed")
        return kind
