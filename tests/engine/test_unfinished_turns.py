"""Turns that are not finished when a batch is taken keep what they have changed."""

from __future__ import annotations

from pico_engine import Ruleset, query, rule, when
from pico_engine.engine import Engine
from pico_engine.harness import SeededEntropy
from pico_engine.identities import ExampleIdentities
from pico_engine.messages import OWNER, EventMessage, RemoteQuery, WaitAnswer
from pico_engine.port import Port
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore


class Elsewhere(Port):
    def can_query(self, pico, eci):
        return True


class Asker(Ruleset, rid="test.asker"):
    @query
    def channels(self):
        return [channel["id"] for channel in self.pico.channels if "new" in channel["tags"]]

    @rule(when("ask:now"))
    def ask(self, event):
        self.pico.new_channel(["new"])
        self.query("did:example:elsewhere", "some.rid", "some")


def test_a_batch_between_an_answer_and_its_turn_forgets_nothing() -> None:
    """The channel's row in the engine's index is read on demand; its turn has not written it yet."""
    store = MemoryStore()
    engine = Engine(store, Registry([Asker]), ExampleIdentities(), SeededEntropy(), port=Elsewhere())
    root = engine.new_root("root", ("test.asker",), 1)
    engine.start(1)
    engine.handle_timer(1)
    engine.receive(EventMessage(root.did, "ask", "now", door=OWNER), 2)
    engine.handle_timer(2)
    effects = list(iter(engine.next_effect, None))
    wait = next(effect.wait for effect in effects if isinstance(effect, RemoteQuery))
    engine.receive(WaitAnswer(wait, "answer"), 3)
    assert engine.has_unfinished_turns
    number, batch = engine.take_batch()  # the answer is there, the turn was not resumed yet
    store.write(batch)
    engine.durable(number)
    engine.handle_timer(3)
    number, batch = engine.take_batch()
    store.write(batch)
    engine.durable(number)
    assert not engine.has_unfinished_turns
    channel = next(one for one in engine.pico(root.did).channels.rows.values() if "new" in one.tags)
    assert engine.index.get(channel.eci) == root.did
