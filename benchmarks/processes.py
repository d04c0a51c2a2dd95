"""Real node processes for benchmarks, and a small fast HTTP client."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

RULESETS = Path(__file__).with_name("common_rulesets.py")


class NodeProcess:
    """A node in a process of its own."""

    def __init__(self, home: Path) -> None:
        folder = home / "rulesets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bench.py").write_text(RULESETS.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "pico_node.cli.main", "up", "--home", str(home)]
        options = ["--http", "127.0.0.1:0", "--no-browser"]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None, "its output is a pipe"
        for line in self.process.stdout:
            ready = re.search(r"^ready\s+(http://\S+)", line)
            if ready:
                self.url = ready[1]
                break
        else:
            raise RuntimeError("the node ended before it was ready")
        self._token = (home / "token").read_text(encoding="ascii").strip()

    def api(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@contextmanager
def node_process(home: Path) -> Iterator[NodeProcess]:
    node = NodeProcess(home)
    try:
        yield node
    finally:
        node.stop()


class KeepAlive(asyncio.Protocol):
    """One keep-alive connection that sends the same request again and again, one at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
        if len(self._received) >= end + 4 + length:
            body = bytes(self._received[end + 4 : end + 4 + length])
            self._received.clear()
            assert self._answer is not None, "an answer is awaited"
            self._answer.set_result(body)

    async def request(self, data: bytes) -> bytes:
        assert self._transport is not None, "connected"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._answer


async def connect(url: str) -> KeepAlive:
    parts = urlsplit(url)
    assert parts.hostname is not None, "a URL of a node has both"
    assert parts.port is not None, "a URL of a node has both"
    _, protocol = await asyncio.get_running_loop().create_connection(KeepAlive, parts.hostname, parts.port)
    return protocol
