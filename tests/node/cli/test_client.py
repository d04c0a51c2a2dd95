"""The command line's way to its node: where it is found, what is asked, and every way to fail."""

from __future__ import annotations

import asyncio
import json
import os
import socket

import pytest

from pico_engine.errors import Busy, DeniedByPolicy, LimitExceeded, RulesetFailed, UnknownPico, WaitTimeout
from pico_node.cli.client import Client, path
from pico_node.cli.errors import NoAnswer, NodeSaidNo, NotRunning
from pico_node.cli.exits import Exit
from tests.node.http.helpers import TOKEN

ERRORS = [
    (UnknownPico("no pico x"), Exit.NOT_FOUND),
    (DeniedByPolicy("no"), Exit.REFUSED),
    (LimitExceeded("too much"), Exit.LIMIT),
    (RulesetFailed("broken"), Exit.NODE_ERROR),
    (WaitTimeout("silence"), Exit.TIMEOUT),
    (Busy("full"), Exit.TRY_LATER),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS)
async def test_errors_of_the_node(shell, error, expected):
    shell.node.error = error
    code, out, told = await shell.run("status")
    assert (code, out) == (expected, "")
    assert str(error) in told
    assert error.hint in told
    code, out, told = await shell.run("status", "--json")
    assert (code, out) == (expected, "")
    assert json.loads(told) == {
        "error": {"code": error.code, "exit": expected, "message": str(error), "hint": error.hint}
    }


async def test_no_node(shell):
    (shell.home / "node.json").unlink()
    code, told = await shell.json("status")
    assert code == Exit.NODE_NOT_RUNNING
    assert told["error"]["code"] == "node-not-running"
    assert "picomesh up" in told["error"]["hint"]


@pytest.mark.parametrize(
    "content",
    ['{"http": "http://127.0.0.1:1", "pid": 999999999}', '{"http": "http://127.0.0.1:1", "pid": PID}',
     "{", "[]", '{"http": "ftp://x:1", "pid": PID}', '{"http": "nothing", "pid": PID}'],
)  # fmt: skip
async def test_a_node_file_that_leads_nowhere(shell, content):
    (shell.home / "node.json").write_text(content.replace("PID", str(os.getpid())))
    assert (await shell.json("status"))[0] == Exit.NODE_NOT_RUNNING


async def test_a_wrong_token(shell):
    (shell.home / "token").write_text("u" * 43)
    code, told = await shell.json("status")
    assert (code, told["error"]["code"]) == (Exit.REFUSED, "unauthorized")
    assert TOKEN not in str(told)


async def test_an_unreadable_token(shell):
    (shell.home / "token").unlink()
    assert (await shell.json("status"))[0] == Exit.FAILED


def test_parts_of_a_path_stay_apart():
    assert path("picos", "a/b", "channels") == "/api/v1/picos/a%2Fb/channels"
    assert path() == "/api/v1"


async def test_what_is_none_is_not_sent(shell):
    client = Client(shell.home, timeout_s=3)
    await asyncio.to_thread(client.get, path("logs"), pico="a&b=c", most=None)
    await asyncio.to_thread(client.post, path("picos"), name="a", parent=None)
    assert shell.node.calls == [
        ("command", "logs", {"pico": "a&b=c"}),
        ("command", "pico_new", {"name": "a"}),
    ]


async def test_the_base_url_is_the_one_in_the_home(shell):
    url = Client(shell.home, timeout_s=3).base_url()
    assert url == json.loads((shell.home / "node.json").read_text())["http"]
    (shell.home / "node.json").write_text(json.dumps({"http": "localhost:1", "pid": os.getpid()}))
    assert Client(shell.home, timeout_s=3).base_url() == "http://localhost:1"


@pytest.fixture
def home(tmp_path):
    """A home whose node is at `listen`."""
    (tmp_path / "token").write_text(TOKEN)

    def at(listen: socket.socket):
        url = f"http://127.0.0.1:{listen.getsockname()[1]}"
        (tmp_path / "node.json").write_text(json.dumps({"http": url, "pid": os.getpid()}))
        return tmp_path

    return at


def test_a_node_that_is_silent(home):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoAnswer) as caught:
        Client(home(silent), timeout_s=0.05).get("/")
    assert "did not answer within" in str(caught.value)
    assert "trace" in caught.value.hint


def test_a_port_where_nothing_listens(home):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        where = home(gone)
    with pytest.raises(NotRunning, match="nothing answers"):
        Client(where, timeout_s=1).get("/")


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops", NodeSaidNo, "answered with status 500"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n[]", NodeSaidNo, "answered with status 404"),
        (b"HTTP/1.1 200 OK\r\n", NoAnswer, "broke off"),
    ],
)
async def test_something_else_that_answers(home, answer, kind, told):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client = Client(home(server.sockets[0]), timeout_s=3)
        with pytest.raises(kind) as caught:
            await asyncio.to_thread(client.get, "/")
    assert told in str(caught.value)
    assert caught.value.hint
