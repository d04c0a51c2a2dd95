"""`didcomm/v2`: lengths, messages and how many of them."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from pico_node.peers.errors import Misbehaved
from pico_node.peers.foreign import Bucket, Throttle, decode_varint, encode_varint, read_message
from pico_node.peers.limits import PeerLimits


class Chunks:
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    async def read(self, n: int) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


def read(*chunks: bytes, most: int = 1000) -> bytes:
    return trio.run(read_message, Chunks(*chunks), most)


@given(st.integers(0, 2**35 - 1), st.binary(max_size=3))
def test_varints_come_back(number, rest):
    encoded = encode_varint(number)
    assert decode_varint(encoded + rest) == (number, len(encoded))
    assert decode_varint(encoded[:-1]) is None


def test_known_varints():
    assert encode_varint(300) == b"\xac\x02"  # the example in the multiformats specification
    assert encode_varint(0) == b"\0"


@given(st.binary(max_size=300), st.integers(1, 50))
def test_a_message_survives_any_cut(message, size):
    data = encode_varint(len(message)) + message
    assert read(*(data[i : i + size] for i in range(0, len(data), size))) == message


@pytest.mark.parametrize(
    "chunks",
    [(), (b"\x05abcd",), (b"\xff" * 6,), (encode_varint(1001),), (b"\x01ab",), (b"\x80",)],
    ids=["nothing", "cut short", "endless length", "too long", "something behind", "length cut short"],
)
def test_what_is_no_message_is_refused(chunks):
    with pytest.raises(Misbehaved):
        read(*chunks)


def test_a_bucket_fills_again():
    bucket = Bucket(rate_per_s=2, burst=3, level=3, at_s=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1) for _ in range(3)] == [True, True, False]
    assert not bucket.is_full(1)
    assert bucket.is_full(3)


def test_one_loud_peer_does_not_silence_the_others():
    throttle = Throttle(PeerLimits(), 0)
    assert sum(throttle.admits("loud", 0) for _ in range(1000)) == PeerLimits().foreign_per_peer_burst
    assert throttle.admits("quiet", 0)


def test_all_together_have_a_limit_and_nothing_piles_up():
    throttle, limits = Throttle(PeerLimits(), 0), PeerLimits()
    assert sum(throttle.admits(f"p{n}", 0) for n in range(5000)) == limits.foreign_total_burst
    assert len(throttle._peers) == limits.foreign_total_burst
    for second in range(1, 60):
        assert sum(throttle.admits(f"p{second}-{n}", second) for n in range(1000)) == 200
    assert len(throttle._peers) < 3000
