"""The edge that carries out what turns ask of the world outside."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from pico_engine.errors import BadRequest, Busy, EgressDenied, FetchFailed, LimitExceeded
from pico_engine.messages import HttpCall, RulesetCall, WaitAnswer
from pico_node.outside import EgressPolicy, OutsideEdge, OutsideLimits
from tests.node.outside.servers import serving


class Answers:
    """Collects what the edge answers."""

    def __init__(self) -> None:
        self.got: dict[int, WaitAnswer] = {}
        self._changed = asyncio.Event()

    def __call__(self, answer: WaitAnswer) -> None:
        self.got[answer.wait] = answer
        self._changed.set()

    async def of(self, wait: int) -> WaitAnswer:
        async with asyncio.timeout(10):
            while wait not in self.got:
                self._changed.clear()
                await self._changed.wait()
        return self.got[wait]


@pytest.fixture
async def answers() -> Answers:
    return Answers()


@pytest.fixture
async def edge(answers: Answers, tmp_path: Path) -> AsyncIterator[OutsideEdge]:
    policy = EgressPolicy(["127.0.0.1"], [tmp_path])
    limits = OutsideLimits(open_per_pico_max=2, line_per_pico_max=3, answer_max_bytes=1_000)
    edge = OutsideEdge(answers, policy, limits)
    yield edge
    await edge.close()


async def test_an_http_call_is_answered_in_the_shape_that_rulesets_see(
    edge: OutsideEdge, answers: Answers
) -> None:
    async def server(request: web.Request) -> web.Response:
        return web.Response(status=201, text=f"{request.method} {await request.text()}", headers={"X-A": "1"})

    async with serving(server) as url:
        edge.call(HttpCall(7, "did:p", "test.r", "POST", url, {"content-type": "text/plain"}, "hello"))
        answer = await answers.of(7)
    assert answer.error is None
    headers = answer.value.pop("headers")
    assert headers["x-a"] == "1"
    assert answer.value == {
        "status_code": 201,
        "status_line": "Created",
        "content": "POST hello",
        "content_type": "text/plain; charset=utf-8",
        "content_length": 10,
    }
    assert +edge.counters == {"requests": 1}


async def test_sources_come_from_http(edge: OutsideEdge, answers: Answers) -> None:
    async def server(request: web.Request) -> web.Response:
        if request.path == "/good.krl":
            return web.Response(body=b"\xef\xbb\xbfruleset a {}")
        return web.Response(body=b"\xff", status=200 if request.path == "/bad" else 404)

    async with serving(server) as url:
        edge.call(RulesetCall(1, "did:p", f"{url}/good.krl"))
        assert (await answers.of(1)).value == "ruleset a {}"
        edge.call(RulesetCall(2, "did:p", f"{url}/bad"))
        assert "not UTF-8" in str((await answers.of(2)).error)
        edge.call(RulesetCall(3, "did:p", f"{url}/none"))
        assert "answers 404 Not Found" in str((await answers.of(3)).error)


async def test_sources_come_from_files_of_the_owners_folders(
    edge: OutsideEdge, answers: Answers, tmp_path: Path
) -> None:
    file = tmp_path / "a b.krl"
    file.write_text("ruleset a {}")
    edge.call(RulesetCall(1, "did:p", file.as_uri()))
    assert (await answers.of(1)).value == "ruleset a {}"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda folder: "file:///etc/hostname", EgressDenied),
        (lambda folder: (folder / "none.krl").as_uri(), FetchFailed),
        (lambda folder: folder.as_uri(), FetchFailed),
        (lambda folder: "file://elsewhere/x", EgressDenied),
        (lambda folder: (folder / "big").as_uri(), LimitExceeded),
        (lambda folder: (folder / "pipe").as_uri(), FetchFailed),
        (lambda folder: (folder / "link").as_uri(), EgressDenied),
        (lambda folder: folder.as_uri() + "/%00", FetchFailed),
        (lambda folder: folder.as_uri() + "/../../etc/hostname", EgressDenied),
    ],
)
async def test_files_that_are_not_read(edge, answers, tmp_path, make, kind) -> None:
    (tmp_path / "big").write_text("x" * 1_001)
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    edge.call(RulesetCall(1, "did:p", make(tmp_path)))
    assert type((await answers.of(1)).error) is kind


async def test_a_file_that_the_owner_named_is_read(answers: Answers, tmp_path: Path) -> None:
    edge = OutsideEdge(answers)
    file = tmp_path / "a.krl"
    file.write_text("ruleset a {}")
    edge.call(RulesetCall(1, "did:p", file.as_uri(), granted=True))
    assert (await answers.of(1)).value == "ruleset a {}"
    edge.call(RulesetCall(2, "did:p", file.as_uri()))
    assert isinstance((await answers.of(2)).error, EgressDenied)
    assert +edge.counters == {"requests": 2, "denied": 1}
    await edge.close()


async def test_one_pico_asks_a_few_at_a_time_and_does_not_hold_up_others(
    edge: OutsideEdge, answers: Answers
) -> None:
    let_go, inside = asyncio.Event(), 0
    most = 0

    async def server(request: web.Request) -> web.Response:
        nonlocal inside, most
        if request.path == "/fast":
            return web.Response()
        inside += 1
        most = max(most, inside)
        await let_go.wait()
        inside -= 1
        return web.Response()

    async with serving(server) as url:
        for wait in range(4):
            edge.call(HttpCall(wait, "did:greedy", "r", "GET", url))
        assert isinstance((await answers.of(3)).error, Busy)
        edge.call(HttpCall(9, "did:other", "r", "GET", f"{url}/fast"))
        assert (await answers.of(9)).error is None
        await asyncio.sleep(0)  # the task of the last answer ends
        assert edge.open == 3
        let_go.set()
        for wait in range(3):
            assert (await answers.of(wait)).error is None
    assert most == 2
    assert edge.counters["refused"] == 1


async def test_answers_that_nobody_waits_for_are_dropped(edge: OutsideEdge, answers: Answers) -> None:
    async def server(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(server) as url:
        edge.call(HttpCall(1, "did:p", "r", "GET", url))
        await asyncio.sleep(0.05)
        edge.forget()
        await asyncio.sleep(0.05)
    assert answers.got == {}
    assert edge.open == 0


async def test_a_defect_answers_too(edge: OutsideEdge, answers: Answers, monkeypatch) -> None:
    async def broken(*_args, **_more):
        raise RuntimeError("broken")

    monkeypatch.setattr(edge.client, "request", broken)
    edge.call(HttpCall(1, "did:p", "r", "GET", "http://example.org"))
    assert isinstance((await answers.of(1)).error, FetchFailed)


async def test_what_is_wrong_with_the_request_is_told(edge: OutsideEdge, answers: Answers) -> None:
    edge.call(HttpCall(1, "did:p", "r", "GET", "nonsense"))
    assert isinstance((await answers.of(1)).error, BadRequest)
