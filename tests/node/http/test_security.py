"""Foreign pages, foreign names and wrong tokens are refused on every route; logs hold no secret."""

from __future__ import annotations

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.http.app import make_app
from pico_node.http.operations import API, OPERATIONS
from pico_node.http.security import Guard, OwnerToken, WireNoise, host_name, is_loopback, redact, same_origin
from tests.node.http.helpers import ECI, TOKEN, FakeNode

CHANNEL = f"/c/{ECI}/event-wait/a/b"
OWNED = [(one.method, API + one.path.replace("{", "").replace("}", "")) for one in OPERATIONS] + [
    ("POST", API + "/login-codes"), ("GET", API + "/openapi.json"), ("GET", API + "/nothing"),
    ("GET", "/metrics"), ("POST", "/logout"),
]  # fmt: skip


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:1", "LOCALHOST", "node.example"]
)
@pytest.mark.parametrize("path", [CHANNEL, "/healthz"])
async def test_own_names_are_served(worlds, host, path):
    world = await worlds(allowed_hosts=["Node.Example"])
    assert (await world.ask("GET", path, headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost:x",
     "user@localhost", "2130706433", "0x7f.1", "localhost,evil.example", "[::1", "128.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHANNEL, "/healthz", "/", "/api/v1/status"])
async def test_foreign_names_are_refused(world, host, path):
    status, body, _ = await world.ask("GET", path, headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert (status, body["code"]) == (421, "host-not-allowed")
    assert world.node.calls == []


async def test_two_host_headers_are_refused(world):
    raw = await world.raw(
        f"GET {CHANNEL} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert not raw.startswith(b"HTTP/1.1 200")
    assert world.node.calls == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHANNEL, "/healthz", "/", "/login?code=x", "/api/v1/status"])
async def test_foreign_pages_are_refused(world, headers, path):
    status, body, response = await world.ask(
        "GET", path, headers={"Authorization": f"Bearer {TOKEN}", **headers}
    )
    assert (status, body["code"]) == (403, "foreign-origin")
    assert "Access-Control-Allow-Origin" not in response.headers
    assert world.node.calls == []


async def test_own_pages_may_use_channels(world):
    headers = {"Origin": world.address.url, "Sec-Fetch-Site": "same-origin"}
    assert (await world.ask("POST", CHANNEL, headers=headers))[0] == 200


@pytest.mark.parametrize(("method", "path"), OWNED)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer " + "u" * 43}, {"Authorization": f"Basic {TOKEN}"},
     {"Authorization": TOKEN}, {"Cookie": "picomesh_session=x"}, {"Authorization": "Bearer \x80"}],
)  # fmt: skip
async def test_every_owners_route_needs_the_token(world, method, path, headers):
    status, body, response = await world.ask(method, path, headers=headers)
    assert (status, body["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert world.node.calls == []


@pytest.mark.parametrize("path", sorted({API + one.path for one in OPERATIONS if one.method != "GET"}))
async def test_nothing_changes_by_get(world, path):
    mutating = {one.command for one in OPERATIONS if one.method != "GET"}
    for method in ("GET", "HEAD"):
        await world.ask(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert not mutating & {call[1] for call in world.node.calls}


async def test_a_token_that_can_be_guessed_is_refused():
    with pytest.raises(ValueError, match="32 characters"):
        make_app(FakeNode(), token="secret")


@given(st.text())
def test_no_text_but_the_token_is_admitted(text):
    token = OwnerToken(TOKEN)
    assert token.admits(f"Bearer {TOKEN}")
    assert not token.admits(text)
    assert not token.admits(f"Bearer {text}") or text.strip() == TOKEN


@given(st.text())
def test_any_host_header_is_a_name_or_none(text):
    name = host_name(text)
    assert name is None or (name == name.lower() and "[" not in name and not name.startswith("]"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_same_origin_is_strict(origin, host):
    assert not same_origin(origin, host) or origin.split("://")[1].lower() == host.lower()


def test_loopback_names():
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.1.2.3", "::1"]))
    assert not any(map(is_loopback, ["", "127.1", "0.0.0.0", "::", "localhost.example", "10.0.0.1"]))


def test_the_table_of_known_hosts_is_bounded():
    guard = Guard()
    for port in range(1, 2_000):
        guard._learn(f"localhost:{port}")
    assert len(guard._known) <= 256


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"/c/{ECI}/event/a/b", ECI),
        ("/c/cl0abcdefghijkl/event/a/b", "cl0abcdefghijkl"),
        ("/sky/cloud/cl0abcdefghijkl/x/y", "cl0abcdefghijkl"),
        (f"KeyError('{ECI}')", ECI),
        ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("GET /login?code=abcdefghijkl", "abcdefghijkl"),
        (ECI.replace(":", "%3A"), ECI[9:]),
    ],
)
def test_redaction(text, secret):
    assert secret not in redact(text)
    assert "…" in redact(text)


async def test_logs_hold_no_secrets(world, caplog):
    caplog.set_level(logging.DEBUG)
    world.node.error = RuntimeError(f"about {ECI}")
    await world.ask("GET", f"{CHANNEL}?pin=s3cretpin", headers={"Authorization": f"Bearer {TOKEN}"})
    await world.own("GET", f"/picos/{ECI}")
    await world.ask("GET", "/login?code=s3cretcode")
    await world.raw(f"GET {CHANNEL} NONSENSE\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    await world.raw(f"GET {CHANNEL} HTTP/1.1\r\nHost : x{ECI}\r\n\r\n".encode())
    assert "defect" in caplog.text
    for secret in (ECI, TOKEN, "s3cretpin", "s3cretcode"):
        assert secret not in caplog.text


def test_of_errors_on_the_wire_only_the_kind_is_told():
    try:
        raise ValueError(f"bad line {ECI}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed for %s", ("1.2.3.4",), sys.exc_info())
    assert WireNoise().filter(record)
    assert record.getMessage() == "failed for 1.2.3.4: ValueError"
    assert record.exc_info is None


async def test_compressed_bodies_are_not_unpacked(world):
    import zlib

    status, body, _ = await world.own(
        "POST", "/events", data=zlib.compress(b'{"target": "x"}'),
        headers={"Content-Type": "application/json", "Content-Encoding": "deflate"},
    )  # fmt: skip
    assert (status, body["code"]) == (400, "bad-request")
