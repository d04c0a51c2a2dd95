"""A node as a mediator, one behind it, and a third one that knows only the invitation: real processes."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from pico_node.node import Node
from pico_node.options import UpOptions
from tests.node.processes import RealNode, wait_until

pytestmark = pytest.mark.processes

RULESET = '''
from pico_engine import Ruleset, ent, query, rule, when


class Notes(Ruleset, rid="test.notes"):
    """Keeps what it hears."""

    heard: list = ent(default=[])

    @query
    def all(self):
        return self.heard

    @rule(when("note:say"))
    def say(self, event):
        self.send(event.attrs["to"], "note:said", text=event.attrs["text"])

    @rule(when("note:said"))
    def hear(self, event):
        self.heard.append(event.attrs["text"])
'''


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Callable[[str], RealNode]]:
    made: list[RealNode] = []

    def new(name: str) -> RealNode:
        made.append(RealNode(tmp_path / name))
        made[-1].add_ruleset("notes.py", RULESET)
        return made[-1]

    yield new
    for node in made:
        node.close()


def line(node: RealNode, word: str) -> str:
    """What the node said at its start under this word."""
    return next(said for said in node.said if said.startswith(word)).split()[-1]


def settled(node: RealNode, state: str = "established") -> Any:
    def found() -> Any:
        return next((one for one in node.cli("connections") if one["state"] == state), None)

    return wait_until(found, 20, f"a connection that is {state}: {node.cli('connections')}")


def test_messages_wait_at_the_mediator_and_survive_its_death(nodes: Callable[[str], RealNode]) -> None:
    mediator = nodes("mediator").up("--mediator")
    invitation = line(mediator, "mediator")
    hidden = nodes("hidden").up("--mediated-by", invitation, "--egress-allow", "127.0.0.1")
    other = nodes("other").up("--egress-allow", "127.0.0.1")
    for node in (hidden, other):
        node.cli("pico", "new", "p", "--ruleset", "test.notes")

    def served() -> bool:
        told = hidden.cli("mediation")["mediated_by"]
        return bool(told["live"] and told["routing_dids"])

    wait_until(served, 20, "the mediator serves the node")
    made = hidden.cli("invite", "p", "--audience", "didcomm")
    other.cli("accept", "p", made["url"])
    theirs, ours = settled(other), settled(hidden)
    assert theirs["Tx"] == made["eci"]
    other.cli("event", "p", "note:say", f"to={theirs['Tx']}", "text=through the mediator")
    wait_until(lambda: hidden.ask("p", "test.notes", "all"), 20, "the event")
    hidden.cli("event", "p", "note:say", f"to={ours['Tx']}", "text=straight back")
    wait_until(lambda: other.ask("p", "test.notes", "all"), 20, "the event back")

    address = mediator.url.removeprefix("http://")
    hidden.stop()
    other.cli("event", "p", "note:say", f"to={theirs['Tx']}", "text=while away")
    wait_until(lambda: "mediator_kept_total 3" in metrics(mediator), 20, "it is kept")
    mediator.kill()
    mediator.up("--mediator", "--http", address)
    assert line(mediator, "mediator").partition("&")[0]  # the same address, and so the same DID
    hidden.up("--mediated-by", invitation, "--egress-allow", "127.0.0.1")
    heard = ["through the mediator", "while away"]
    wait_until(lambda: hidden.ask("p", "test.notes", "all") == heard, 30, "what came meanwhile")


async def test_two_nodes_meet_as_foreign_agents_over_libp2p(tmp_path: Path) -> None:
    """With `didcomm/v2` alone: no URL is told, and the answer comes back by the return route."""
    async with AsyncExitStack() as stack:
        nodes = []
        for name in ("a", "b"):
            node = Node(UpOptions(tmp_path / name, http=("127.0.0.1", 0), mdns=False))
            await node.run_up()
            stack.push_async_callback(node.take_down)
            await node.command("pico_new", name="p")
            assert node.agent is not None
            node.agent.base_url = ""
            nodes.append(node)
        made = await nodes[0].command("invite", pico="p", audience="didcomm")
        await nodes[1].command("accept", pico="p", url=made["url"])
        async with asyncio.timeout(30):
            for node in nodes:
                while (await node.command("connections", pico="p"))[0]["state"] != "established":
                    await asyncio.sleep(0.1)


def metrics(node: RealNode) -> str:
    token = (node.home / "token").read_text().strip()
    request = urllib.request.Request(node.url + "/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())
