"""Looking into a disk: only what is durable is seen, and nothing is changed."""

from __future__ import annotations

import pytest

from pico_engine import Ruleset, ent, query, rule, when
from pico_engine.errors import EngineError, UnknownPico, UnknownQuery
from pico_engine.messages import HTTP_DOOR, EventMessage, QueryMessage
from pico_engine.store import Batch
from pico_simnet.greenhouse import built_in
from pico_simnet.host import HostPace
from pico_simnet.looking import durable_query
from pico_simnet.world import World


class Counter(Ruleset, rid="org.example.counter"):
    """Counts."""

    count: int = ent(default=0)

    @query
    def told(self, by: int = 1) -> dict[str, int]:
        return {"count": self.count * by}

    @query
    def careless(self) -> None:
        self.count = 99

    @rule(when("counter:more"))
    def more(self, event) -> None:
        self.count += 1


RID = Counter.definition.rid


class ReadOnly:
    """A store that only reads."""

    def __init__(self, store) -> None:
        self.get, self.scan = store.get, store.scan

    def write(self, batch: Batch) -> None:
        raise AssertionError("looking must not write")


class Stage:
    def __init__(self) -> None:
        self.world = World(1)
        pace = HostPace(disk_min_ms=100, disk_max_ms=100)
        self.host = self.world.host("one", [*built_in(), Counter], pace)
        self.pico = self.world.command("one", "pico_new", name="counter", rulesets=[RID])["did"]
        self.eci = self.world.command("one", "channel_new", pico=self.pico)["id"]

    def more(self) -> None:
        self.host.receive(EventMessage(self.eci, "counter", "more", {}, HTTP_DOOR))

    def look(self, name: str = "told", args=None, pico: str | None = None):
        message = QueryMessage(pico or self.pico, RID, name, args or {})
        return durable_query(ReadOnly(self.host.disk), self.host.registry, pico or self.pico, message)


def test_what_is_not_synced_is_not_seen() -> None:
    stage = Stage()
    stage.more()
    stage.world.run_for(50)
    assert stage.look() == {"count": 0}
    stage.world.run_for(100)
    assert stage.look() == {"count": 1}
    assert stage.look("told", {"by": 3}) == {"count": 3}
    assert type(stage.look()) is dict  # plain data, free to be changed


def test_the_running_node_does_not_know() -> None:
    stage = Stage()
    before = stage.world.events
    stage.look()
    stage.world.run_for(1_000)
    assert stage.world.events == before
    stage.host.crash()
    assert stage.look() == {"count": 0}


def test_what_goes_wrong_is_an_error_as_in_a_node() -> None:
    stage = Stage()
    with pytest.raises(UnknownQuery):
        stage.look("nothing")
    with pytest.raises(UnknownPico):
        stage.look(pico="did:key:nobody")
    with pytest.raises(EngineError):
        stage.look("careless")
    assert stage.look() == {"count": 0}
