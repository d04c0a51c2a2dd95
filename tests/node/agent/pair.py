"""Two agents joined by hand: nothing travels, and nothing is written, unless a test lets it."""

from __future__ import annotations

from typing import Any

from nacl.signing import SigningKey

from pico_engine import Ruleset, ent, integer, query, rule, when
from pico_engine.harness import SeededEntropy, VirtualClock
from pico_engine.messages import EventAnswer, Failed
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent import Agent
from pico_node.agent.messages import Command, CommandAnswer, PeerDown, PeerFrames, PeerUp, SendFrames
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler


class Teller(Ruleset, rid="test.teller"):
    """Tells its listeners what it is told."""

    listeners: list = ent(default=[])

    @query
    def nothing(self):
        return "nothing"

    @rule(when("connection:established"))
    def meet(self, event):
        self.listeners.append(event.attrs["Tx"])
        self.send(event.attrs["Tx"], "tell:first", n=0)

    @rule(when("teller:tell", n=integer()))
    def tell(self, event, n):
        for one in self.listeners:
            self.send(one, event.attrs.get("name", "tell:n"), n=n)


class Listener(Ruleset, rid="test.listener"):
    """Keeps what it hears; asks back in the middle of its turn where the event is `tell:ask`."""

    heard: list = ent(default=[])

    @query
    def all(self):
        return self.heard

    @rule(when("connection:established"))
    def meet(self, event):
        self.query(event.attrs["Tx"], "test.teller", "nothing")

    @rule(when("tell:first", "tell:n", "tell:ask", n=integer()))
    def hear(self, event, n):
        self.heard.append(n)
        if event.type == "ask":
            self.query(event.sender, "test.teller", "nothing")


class Node:
    """An agent on a store in memory; `run` lets it work and writes, and keeps its frames in `out`."""

    def __init__(self, name: str, clock: VirtualClock) -> None:
        self.name, self.clock, self.store = name, clock, MemoryStore()
        self.key = bytes(SigningKey(SeededEntropy(name)(32)).verify_key)
        self.lives = 0
        self.start()

    def start(self) -> None:
        """Begin a new life from the store, as after a crash."""
        self.lives += 1
        self.out: list[bytes] = []
        self.answers: dict[Any, Any] = {}
        registry = Registry([Wrangler, Subscription, Teller, Listener])
        self.agent = Agent(self.store, registry, SeededEntropy(f"{self.name}{self.lives}"), self.key)
        self.agent.start(self.clock.now, [f"/{self.name}"])
        self.run()

    def run(self) -> None:
        agent = self.agent
        while True:
            timer = agent.next_timer()
            if timer is not None and timer <= self.clock.now:
                agent.handle_timer(self.clock.now)
            elif agent.has_changes:
                number, batch = agent.take_batch()
                self.store.write(batch)
                agent.durable(number)
            else:
                break
        while (effect := agent.next_effect()) is not None:
            if isinstance(effect, SendFrames):
                self.out += effect.frames
            elif isinstance(effect, CommandAnswer | Failed | EventAnswer):
                self.answers[effect.reply] = effect

    def give(self, message: Any) -> None:
        self.agent.receive(message, self.clock.now)
        self.run()


class Pair:
    """`a` is the teller's node, `b` the listener's."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.a, self.b = Node("a", self.clock), Node("b", self.clock)
        self.session = 0
        self.command(self.a, "pico_new", name="teller", rulesets=["test.teller"])
        self.command(self.b, "pico_new", name="listener", rulesets=["test.listener"])

    def meet(self) -> None:
        """Connect the two picos."""
        self.up()
        invitation = self.command(self.a, "invite", pico="teller")
        self.command(self.b, "accept", pico="listener", url=invitation["url"])
        self.settle()

    def up(self) -> None:
        """A new session."""
        self.session += 1
        for one, other in ((self.a, self.b), (self.b, self.a)):
            one.out.clear()
            one.give(PeerUp(other.agent.peer_id, self.session))

    def down(self) -> None:
        for one, other in ((self.a, self.b), (self.b, self.a)):
            one.give(PeerDown(other.agent.peer_id, self.session))

    def carry(self, one: Node, other: Node) -> list[bytes]:
        """Take what `one` has sent to `other`; answers it."""
        frames, one.out = one.out, []
        if frames:
            other.give(PeerFrames(one.agent.peer_id, self.session, frames))
        return frames

    def settle(self) -> None:
        for _ in range(50):
            if not (self.carry(self.a, self.b) or self.carry(self.b, self.a)):
                return
        raise AssertionError("the two never stop talking")

    def crash_b(self) -> None:
        """B loses its memory; a new session follows."""
        self.b.start()
        self.a.give(PeerDown(self.b.agent.peer_id, self.session))
        self.up()
        self.settle()

    def command(self, node: Node, name: str, /, **parameters: Any) -> Any:
        node.give(Command(name, parameters, reply=name))
        answer = node.answers.pop(name)
        if isinstance(answer, Failed):
            raise answer.error
        return answer.value

    def tell(self, n: int, name: str = "tell:n") -> None:
        self.command(self.a, "event", target="teller", name="teller:tell", attrs={"n": n, "name": name})

    @property
    def heard(self) -> list[int]:
        answer = self.command(self.b, "query", target="listener", rid="test.listener", name="all")
        return answer["result"]

    @property
    def unacknowledged(self) -> int:
        return self.command(self.a, "connections")[0]["unacknowledged"]
