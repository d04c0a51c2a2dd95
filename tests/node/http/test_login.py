"""Logging in with a browser: codes work once, sessions need our own pages, both end."""

from __future__ import annotations

import pytest

from pico_node.http.app import login_path
from pico_node.http.login import CODE_LIFE_S, CODES_MAX, SESSION_LIFE_S, SESSIONS_MAX, LoginDesk
from tests.node.http.helpers import World


async def session(world: World) -> str:
    status, _, response = await world.ask("GET", login_path(world.app))
    assert (status, response.headers["Location"]) == (303, "/")
    return response.headers["Set-Cookie"].split(";")[0]


async def test_the_cookie_is_closed_to_scripts_and_other_sites(world):
    _, _, response = await world.ask("GET", login_path(world.app))
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"picomesh_session_{world.address.port}=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_a_code_works_once(world):
    path = login_path(world.app)
    assert (await world.ask("GET", path))[0] == 303
    status, body, response = await world.ask("GET", path)
    assert status == 403
    assert "picomesh login" in body
    assert "Set-Cookie" not in response.headers


async def test_the_token_makes_codes(world):
    status, answer, _ = await world.own("POST", "/login-codes")
    assert status == 201
    assert (await world.ask("GET", answer["path"]))[0] == 303


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "own"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_a_session_changes_things_only_from_our_own_pages(world, headers, expected):
    headers = {key: world.address.url if value == "own" else value for key, value in headers.items()}
    headers["Cookie"] = await session(world)
    status, _, _ = await world.ask("POST", "/api/v1/picos", json={"name": "a"}, headers=headers)
    assert status == expected
    assert len(world.node.calls) == (1 if expected == 201 else 0)


async def test_a_session_reads(world):
    assert (await world.ask("GET", "/api/v1/status", headers={"Cookie": await session(world)}))[0] == 200


async def test_logging_out_ends_the_session(world):
    cookie = await session(world)
    headers = {"Cookie": cookie, "Origin": world.address.url}
    status, _, response = await world.ask("POST", "/logout", headers=headers)
    assert status == 303
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert (await world.ask("GET", "/api/v1/status", headers={"Cookie": cookie}))[0] == 401


async def test_healthz_tells_no_details(world):
    assert (await world.ask("GET", "/healthz"))[:2] == (200, {"ok": True})
    world.node.state = {"ok": False, "store": "the disk is full"}
    assert (await world.ask("GET", "/healthz"))[:2] == (503, {"ok": False})


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_codes_and_sessions_end():
    clock = Clock()
    desk = LoginDesk(clock)
    late, soon = desk.issue_code(), desk.issue_code()
    one = desk.redeem(soon)
    assert one is not None
    clock.now_s += CODE_LIFE_S + 1
    assert desk.redeem(late) is None
    assert desk.admits(one)
    clock.now_s += SESSION_LIFE_S
    assert not desk.admits(one)


def test_codes_and_sessions_are_bounded():
    desk = LoginDesk(Clock())
    codes = [desk.issue_code() for _ in range(CODES_MAX + 1)]
    assert desk.redeem(codes[0]) is None
    first = desk.redeem(codes[1])
    assert first is not None
    for _ in range(SESSIONS_MAX):
        assert desk.redeem(desk.issue_code())
    assert not desk.admits(first)
    assert not desk.admits("")
    assert desk.redeem("") is None
