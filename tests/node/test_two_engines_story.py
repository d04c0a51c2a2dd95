"""Two node processes as two engines of the existing kind: subscriptions by Tx_host, events that wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.processes import RealNode, wait_until

pytestmark = pytest.mark.processes

SUBSCRIPTION, UI = "io.picolabs.subscription", "io.picolabs.pico-engine-ui"
DID_O = "io.picolabs.did-o"
DIARY = """
ruleset test.diary {
  meta {
    use module io.picolabs.wrangler alias wrangler
    shares said, elsewhere
  }
  global {
    said = function(){ ent:said || [] }
    elsewhere = function(eci, host){ wrangler:picoQuery(eci, meta:rid, "said", {}, host) }
  }
  rule tell { select when diary tell
    event:send({"did": event:attr("did"), "domain": "diary", "type": "said", "attrs": event:attrs}) }
  rule note { select when diary said
    fired { ent:said := said().append(event:attr("n").as("Number")) } }
}
"""


class Engine:
    """A node with --compat at a port that stays; asked over its open HTTP routes."""

    def __init__(self, home: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.node = RealNode(home)
        self.options = (
            "--http", f"127.0.0.1:{port}", "--compat", "--egress-allow", "127.0.0.1",
            "--ruleset-folder", str(folder),
        )  # fmt: skip
        self.up()
        self.eci = self._open_channel()

    def up(self) -> None:
        self.node.up(*self.options)

    @property
    def url(self) -> str:
        return self.node.url

    def _open_channel(self) -> str:
        ui = str(self.node.ask("@", UI, "uiECI"))
        policies = {
            "eventPolicy": {"allow": [{"domain": "*", "name": "*"}], "deny": []},
            "queryPolicy": {"allow": [{"rid": "*", "name": "*"}], "deny": []},
        }
        found = self.node.post(
            f"/c/{ui}/event/engine_ui/new_channel/query/{UI}/pico", {"tags": ["all"], **policies}
        )
        return next(str(one["id"]) for one in found["channels"] if one["tags"] == ["all"])

    def event(self, name: str, /, **attrs: Any) -> None:
        domain, kind = name.split(":")
        answer = self.node.post(f"/c/{self.eci}/event-wait/{domain}/{kind}", attrs)
        assert "error" not in answer, answer

    def ask(self, rid: str, name: str, **args: Any) -> Any:
        return self.node.post(f"/c/{self.eci}/query/{rid}/{name}", args)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[Engine, Engine]]:
    (tmp_path / "test.diary.krl").write_text(DIARY)
    made: list[Engine] = []
    try:
        for name in ("here", "there"):
            made.append(Engine(tmp_path / name, tmp_path))
            url = (tmp_path / "test.diary.krl").as_uri()
            made[-1].event("wrangler:install_ruleset_request", url=url)
        yield made[0], made[1]
    finally:
        for engine in made:
            engine.node.close()


def test_what_two_engines_say_to_each_other_survives_both(engines: tuple[Engine, Engine]) -> None:
    here, there = engines
    well_known = there.ask(SUBSCRIPTION, "wellKnown_Rx")["id"]
    roles = {"Rx_role": "reader", "Tx_role": "writer"}
    here.event("wrangler:subscription", wellKnown_Tx=well_known, Tx_host=there.url, name="diary", **roles)
    (request,) = wait_until(lambda: there.ask(SUBSCRIPTION, "inbound"), what="the request")
    assert request["Tx_host"] == here.url
    there.event("wrangler:pending_subscription_approval", Id=request["Id"])
    (bus,) = wait_until(lambda: here.ask(SUBSCRIPTION, "established"), what="the approval")
    assert bus["Tx_host"] == there.url

    def say(*numbers: int) -> None:
        for n in numbers:
            attrs = {"domain": "diary", "type": "said", "attrs": {"n": n}}
            here.event("wrangler:send_event_on_subs", subID=bus["Id"], **attrs)

    say(1)
    wait_until(lambda: there.ask("test.diary", "said") == [1], what="an event while both are up")
    there.node.kill()
    say(2, 3, 4)  # nobody is there to take them
    here.node.kill()
    here.up()
    say(5)
    there.up()
    wait_until(lambda: there.ask("test.diary", "said")[-1] == 5, what="events that waited")
    assert there.ask("test.diary", "said") == [1, 2, 3, 4, 5], "in order, each once"

    assert here.ask("test.diary", "elsewhere", eci=there.eci, host=there.url) == [1, 2, 3, 4, 5]
    refused = here.ask("test.diary", "elsewhere", eci="nobody", host=there.url)
    assert "ECI not found nobody" in refused["picoQueryError"]

    here.event("wrangler:subscription_cancellation", Id=bus["Id"])
    assert here.ask(SUBSCRIPTION, "established") == []
    wait_until(lambda: there.ask(SUBSCRIPTION, "established") == [], what="the end at the other side")


def test_a_connection_by_the_existing_engines_ruleset(engines: tuple[Engine, Engine]) -> None:
    here, there = engines
    invitation = there.ask(DID_O, "generate_invitation", label="there")
    assert "_oob=" in invitation
    here.event("dido:receive_invite", invite=invitation)
    ((theirs, ours),) = wait_until(lambda: list(here.ask(DID_O, "didMap").items()), what="the connection")
    wait_until(lambda: there.ask(DID_O, "didMap") == {ours: theirs}, what="the same at the other side")
    assert there.ask(DID_O, "generate_invitation") != invitation, "each is good once"

    for n in (1, 2):
        here.event("diary:tell", did=theirs, n=n)
    wait_until(lambda: there.ask("test.diary", "said") == [1, 2], what="events by DID")
    assert here.ask("test.diary", "elsewhere", eci=theirs, host=None) == [1, 2]
