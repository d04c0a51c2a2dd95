"""One HTTP/1.1 request on a connection of its own, in what a node's answers need.

The standard library's client brings e-mail and TLS: importing it takes longer than a whole `picomesh status`.
"""

from __future__ import annotations

import socket

HEAD_MAX_BYTES = 65_536
"""An answer's status line and headers; a node's take some hundred bytes."""
ANSWER_MAX_BYTES = 256 * 1_048_576
"""An answer's body; more is no answer of a node."""
_READ_BYTES = 65_536
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@:")


class BadAnswer(Exception):
    """What came back is not a complete HTTP answer."""


def encode_part(text: str) -> str:
    """Percent-encoded, so that it is one segment of a path or one value of a query string."""
    return "".join(
        chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode(errors="surrogateescape")
    )


def split_base_url(url: str) -> tuple[str, int]:
    """Host and port of `http://host:port`. Raises ValueError."""
    scheme, found, authority = url.rpartition("://")
    host, colon, port = authority.rstrip("/").rpartition(":")
    if scheme not in ("http", "") or (found and not scheme) or not (host and colon):
        raise ValueError(f"{url!r} is not of the form http://host:port")
    return host.strip("[]"), int(port)


def ask(
    address: tuple[str, int], method: str, target: str, headers: dict[str, str], body: bytes, timeout_s: int
) -> tuple[int, bytes]:
    """Status and body of the answer. Raises OSError (TimeoutError among them), BadAnswer."""
    host, port = address
    name = f"[{host}]" if ":" in host else host
    lines = [f"{method} {target} HTTP/1.1", f"Host: {name}:{port}", "Connection: close"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    with socket.create_connection(address, timeout_s) as connection:
        connection.sendall("\r\n".join(lines).encode("ascii") + body)
        return _read_answer(connection)


def _read_answer(connection: socket.socket) -> tuple[int, bytes]:
    data = bytearray()
    end = -1
    while end < 0:
        piece = connection.recv(_READ_BYTES)
        if not piece or len(data) > HEAD_MAX_BYTES:
            raise BadAnswer("the answer broke off" if data else "the connection was closed without an answer")
        data += piece
        end = data.find(b"\r\n\r\n")
    status, length = _read_head(bytes(data[:end]))
    del data[: end + 4]
    while len(data) < length:
        piece = connection.recv(_READ_BYTES)
        if not piece:
            raise BadAnswer("the answer broke off")
        data += piece
    return status, bytes(data[:length])


def _read_head(head: bytes) -> tuple[int, int]:
    """Status and length of the body. Raises BadAnswer."""
    first, *fields = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise BadAnswer("that is no HTTP server")
    for field in fields:
        name, _, value = field.partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdigit():
            length = int(value)
            if length > ANSWER_MAX_BYTES:
                raise BadAnswer(f"the answer has {length:,} bytes, more than {ANSWER_MAX_BYTES:,}")
            return int(rest[:3]), length
    raise BadAnswer("the answer does not tell its length")
