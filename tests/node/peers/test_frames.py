"""Frames: what is cut up on the way is put together again, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.peers.errors import Misbehaved
from pico_node.peers.frames import (
    CONTROL_BYTES_MAX,
    INSTANCE_BYTES,
    PREAMBLE,
    FrameReader,
    Hello,
    Kind,
    encode,
    header,
)

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def chunks(data: bytes, sizes: list[int]):
    position = 0
    while position < len(data):
        for size in sizes:
            yield data[position : position + size]
            position += size


@given(st.lists(st.binary(max_size=300), max_size=20), SIZES)
def test_frames_survive_any_cut(payloads, sizes):
    reader = FrameReader()
    reader.open_data(300)
    stream = PREAMBLE + b"".join(encode(Kind.DATA, payload) for payload in payloads)
    got = [frame for chunk in chunks(stream, sizes) for frame in reader.feed(chunk)]
    assert got == [(Kind.DATA, payload) for payload in payloads]
    assert reader.buffered == 0


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_noticed_or_waited_for_but_never_taken(data):
    reader = FrameReader()
    try:
        frames = reader.feed(data)
    except Misbehaved:
        return
    assert not frames
    assert PREAMBLE.startswith(data[: len(PREAMBLE)])


@pytest.mark.parametrize("data", [b"G", b"GET / HTTP/1.1\r\n\r\n", b"picomesh\x02", bytes(64)])
def test_another_protocol_is_noticed_at_its_first_wrong_byte(data):
    with pytest.raises(Misbehaved):
        FrameReader().feed(data)


def test_what_follows_accept_waits_until_data_is_allowed():
    reader = FrameReader()
    assert reader.feed(PREAMBLE + encode(Kind.ACCEPT) + encode(Kind.DATA, b"x")) == [(Kind.ACCEPT, b"")]
    reader.open_data(1)
    assert reader.feed(b"") == [(Kind.DATA, b"x")]


@pytest.mark.parametrize(
    "frame",
    [
        header(Kind.DATA, 1),
        header(Kind.HELLO, CONTROL_BYTES_MAX + 1),
        header(Kind.PING, 0xFFFFFFFF),
        b"\0\0\0\0\x63",
    ],
    ids=["data too early", "long hello", "endless ping", "unknown kind"],
)
def test_a_header_that_cannot_be_right_is_refused_before_its_payload_came(frame):
    with pytest.raises(Misbehaved):
        FrameReader().feed(PREAMBLE + frame)


def test_a_frame_over_the_limit_is_refused_at_its_header():
    reader = FrameReader()
    reader.open_data(10)
    assert reader.feed(PREAMBLE + header(Kind.DATA, 10)) == []
    reader = FrameReader()
    reader.open_data(10)
    with pytest.raises(Misbehaved, match="11 bytes"):
        reader.feed(PREAMBLE + header(Kind.DATA, 11))


def test_hello_may_grow_but_not_shrink():
    hello = Hello(bytes(range(INSTANCE_BYTES)), 1000)
    assert Hello.decode(hello.encode()) == hello
    assert Hello.decode(hello.encode() + b"more") == hello
    with pytest.raises(Misbehaved):
        Hello.decode(hello.encode()[:-1])
