"""The small HTTP client: what it sends, what it takes for an answer, and where it gives up."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from pico_node.cli import http
from pico_node.cli.http import BadAnswer, ask, encode_part, split_base_url

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@contextmanager
def server(*pieces: bytes) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Answers one connection with these pieces and closes it; where it listens, and what it got."""
    got: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            got.append(connection.recv(65_536))
            for piece in pieces:
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname(), got
        finally:
            thread.join()


def test_a_request_as_it_is_on_the_wire():
    with server(OK) as (address, got):
        assert ask(address, "POST", "/a?b=c", {"X-One": "1"}, b"body", 3) == (200, b"hi")
    assert got == [
        f"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\nConnection: close\r\nX-One: 1\r\n"
        "Content-Length: 4\r\n\r\nbody".encode()
    ]


@given(st.lists(st.integers(0, len(OK)), max_size=5))
@with_settings(max_examples=20)
def test_an_answer_may_come_in_any_pieces(cuts):
    places = [0, *sorted(cuts), len(OK)]
    pieces = [OK[start:stop] for start, stop in itertools.pairwise(places)]
    with server(*pieces) as (address, _):
        assert ask(address, "GET", "/", {}, b"", 3) == (200, b"hi")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200", "broke off"),
        (OK[:-1], "broke off"),
        (b"SSH-2.0-x\r\n\r\n", "no HTTP server"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP server"),
        (b"HTTP/1.1 200 OK\r\n\r\nhi", "does not tell its length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "does not tell its length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 268435457\r\n\r\n", "more than 268,435,456"),
    ],
)
def test_what_is_no_answer(answer, told):
    with server(answer) as (address, _), pytest.raises(BadAnswer, match=told):
        ask(address, "GET", "/", {}, b"", 3)


def test_a_head_without_end_is_given_up(monkeypatch):
    """The server would wait for ever; only the limit ends it before the time does."""
    monkeypatch.setattr(http, "HEAD_MAX_BYTES", 100)

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            for _ in range(50):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                time.sleep(0.001)
            while connection.recv(65_536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(BadAnswer):
            ask(listening.getsockname(), "GET", "/", {}, b"", 2)
        thread.join()


def test_silence_ends():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        ask(silent.getsockname(), "GET", "/", {}, b"", 0.05)


@given(st.text(st.characters(codec="utf-8")))
def test_encoded_parts_stay_one_segment(text):
    encoded = encode_part(text)
    assert unquote(encoded) == text
    assert encoded.isascii()
    assert not set("/?#&=+ \r\n") & set(encoded)


def test_words_that_are_not_utf_8():
    assert encode_part("\udcff") == "%FF"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:1", ("127.0.0.1", 1)),
        ("localhost:2", ("localhost", 2)),
        ("http://[::1]:3/", ("::1", 3)),
    ],
)
def test_base_urls(url, address):
    assert split_base_url(url) == address


@pytest.mark.parametrize(
    "url", ["", "localhost", "http://localhost", "https://x:1", "://x:1", "http://:1", "x:y"]
)
def test_what_is_no_base_url(url):
    with pytest.raises(ValueError):
        split_base_url(url)
