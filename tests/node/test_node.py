"""A node in this process: what it is made of is put together, and taken apart whatever happens."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pico_engine.errors import BadRequest, EngineError, StoreLocked
from pico_node.home import HomeError
from pico_node.node import Node
from pico_node.options import UpOptions
from pico_node.peers import AddressTaken, PeerError
from pico_node.store import LevelStore

RULES = '''
from pico_engine import Ruleset, query

class Mine(Ruleset, rid="test.mine"):
    """Answers."""

    @query
    def answer(self):
        return {answer}
'''


@pytest.fixture
def options(tmp_path: Path) -> UpOptions:
    return UpOptions(tmp_path / "home", ("127.0.0.1", 0), open_browser=False, mdns=False)


def run(options: UpOptions, story: Callable[[Node], Awaitable[Any]]) -> Any:
    """A node that is up while the story runs, on the loop that a real one has."""

    async def main() -> Any:
        node = Node(options)
        await node.run_up()
        try:
            return await story(node)
        finally:
            await node.take_down()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def start_fails(options: UpOptions, kind: type[BaseException]) -> BaseException:
    async def main() -> None:
        await Node(options).run_up()

    with (
        pytest.raises(kind) as caught,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(main())
    assert str(caught.value)
    if (options.home / "store").exists():
        LevelStore.open(options.home / "store").close()  # it was given back
    return caught.value


def test_status_health_and_metrics(options: UpOptions) -> None:
    async def story(node: Node) -> None:
        status = await node.command("status")
        assert status["http"] == node.http_url
        assert status["store"] == "ok"
        assert status["home"] == str(options.home)
        assert status["addresses"]
        assert node.health() == {"ok": True, "store": "ok", "peers": 0}
        metrics = node.metrics()
        assert metrics["uptime_seconds"] > 0
        assert metrics["store_ok"] == 1
        assert all(isinstance(value, int | float) for value in metrics.values())
        assert node.is_new

    run(options, story)


def test_every_answer_of_the_status_is_json(options: UpOptions) -> None:
    async def story(node: Node) -> Any:
        return json.dumps(await node.command("status"))

    assert "peer_id" in run(options, story)


def test_who_it_is_stays_and_others_find_it(options: UpOptions) -> None:
    async def story(node: Node) -> Any:
        remembered = json.loads((options.home / "node.json").read_text())
        assert remembered["http"] == node.http_url
        status = await node.command("status")
        return status["peer_id"], status["root"], status["addresses"], node.owner_token

    assert run(options, story) == run(options, story)


def test_rulesets_are_loaded_again_on_command(options: UpOptions) -> None:
    async def story(node: Node) -> None:
        path = options.home / "rulesets" / "mine.py"
        path.write_text(RULES.format(answer=1))
        loaded = await node.command("ruleset_load")
        assert "test.mine" in loaded["known"]
        assert loaded["problems"] == []
        await node.command("pico_new", name="it", rulesets=["test.mine"])

        async def answer() -> Any:
            return (await node.command("query", target="it", rid="test.mine", name="answer"))["result"]

        assert await answer() == 1
        path.write_text(RULES.format(answer=2))
        await node.command("ruleset_load")
        assert await answer() == 2
        path.write_text("broken(")
        assert "mine.py" in (await node.command("ruleset_load"))["problems"][0]
        assert await answer() == 2

    run(options, story)


def test_events_of_a_missing_ruleset_wait_for_it(options: UpOptions) -> None:
    path = options.home / "rulesets" / "mine.py"

    async def first(node: Node) -> None:
        path.write_text(RULES.format(answer=1))
        await node.command("ruleset_load")
        await node.command("pico_new", name="it", rulesets=["test.mine"])

    async def second(node: Node) -> None:
        shown = await node.command("pico_show", pico="it")
        available = {row["rid"]: row["available"] for row in shown["rulesets"]}
        assert not available["test.mine"]
        with pytest.raises(EngineError) as caught:
            await node.command("event", target="it", name="any:thing")
        assert caught.value.code == "ruleset-missing"
        path.write_text(RULES.format(answer=1))
        await node.command("ruleset_load")
        await node.command("event", target="it", name="any:thing")

    run(options, first)
    path.unlink()
    run(options, second)


def test_http_answers_while_it_is_up_and_not_after(options: UpOptions) -> None:
    async def story(node: Node) -> str:
        def get() -> int:
            allowed = {"Authorization": f"Bearer {node.owner_token}"}
            request = urllib.request.Request(node.http_url + "/api/v1/status", headers=allowed)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)

        assert await asyncio.to_thread(get) == 200
        return node.http_url

    url = run(options, story)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_a_taken_http_port_closes_everything_again(options: UpOptions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        start_fails(replace(options, http=("127.0.0.1", port)), OSError)


def test_a_taken_libp2p_port_closes_everything_again(options: UpOptions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        start_fails(replace(options, listen=(f"/ip4/127.0.0.1/tcp/{port}",)), AddressTaken)


def test_a_bad_address_closes_everything_again(options: UpOptions) -> None:
    start_fails(replace(options, listen=("/ip4/nowhere",)), PeerError)


def test_a_store_that_is_open_elsewhere_is_refused(options: UpOptions) -> None:
    async def story(_: Node) -> None:
        with pytest.raises(StoreLocked):
            Node(options)

    run(options, story)


def test_a_damaged_key_is_refused_before_anything_is_opened(options: UpOptions) -> None:
    options.home.mkdir()
    (options.home / "node.key").write_text("damaged")
    with pytest.raises(HomeError):
        Node(options)
    assert not (options.home / "store").exists()


@pytest.mark.parametrize("listen", [5, "x", ["/ip4/0.0.0.0/tcp/1"], [7], {"a": 1}])
def test_what_was_remembered_may_be_anything(options: UpOptions, listen: Any) -> None:
    """Also: an address that is open to others is taken from the options only, never from the memory."""
    options.home.mkdir()
    (options.home / "node.json").write_text(json.dumps({"listen": listen}))

    async def story(node: Node) -> None:
        status = await node.command("status")
        assert all(address.startswith("/ip4/127.0.0.1/tcp/") for address in status["addresses"])
        assert "/tcp/1/" not in status["addresses"][0]

    run(options, story)


def test_limits_of_the_engine_are_settings(options: UpOptions) -> None:
    async def story(node: Node) -> None:
        assert node.agent is not None
        assert node.agent.engine.limits.krl.steps_max == 77
        await node.command("pico_new", name="a")
        with pytest.raises(BadRequest, match="no pico was made"):
            await node.command("pico_new", name="b")

    run(replace(options, engine_limits=("steps_max=77", "children_max=1")), story)
    with pytest.raises(BadRequest, match="sets no limit"):
        Node(replace(options, engine_limits=("steps=77",)))
