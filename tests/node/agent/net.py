"""Several agents and the mail between them: frames are kept until a test delivers, drops or repeats them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from pico_engine import Ruleset, ent, integer, query, rule, when
from pico_engine.harness import SeededEntropy, VirtualClock
from pico_engine.limits import EngineLimits
from pico_engine.messages import EventAnswer, Failed, LogLine, QueryAnswer
from pico_engine.registry import Registry
from pico_engine.store import Batch, MemoryStore
from pico_node.agent import Agent, AgentLimits
from pico_node.agent.messages import (
    Command,
    CommandAnswer,
    Connect,
    Forget,
    PeerDown,
    PeerFrames,
    PeerUp,
    SendFrames,
)
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler

ROUNDS_MAX = 200
"""More rounds of mail than any story here takes."""


class Chatter(Ruleset, rid="test.chatter"):
    """Says numbers to all it is connected with, and keeps what it said, heard and was told of connections."""

    peers: list = ent(default=[])
    said: list = ent(default=[])
    heard: list = ent(default=[])
    told: list = ent(default=[])
    returned: list = ent(default=[])

    @query
    def all(self):
        return {"said": self.said, "heard": self.heard, "told": self.told, "returned": self.returned}

    @query
    def large(self, count=1):
        return "x" * int(count)

    @query
    def deep(self, levels=1):
        value: Any = "deep"
        for _ in range(int(levels)):
            value = [value]
        return value

    @rule(when("connection:established"))
    def meet(self, event):
        self.peers.append(event.attrs["Tx"])

    @rule(when("connection:established", "connection:refused", "connection:ended"))
    def note(self, event):
        self.told.append(event.type)

    @rule(when("chat:say", n=integer()))
    def say(self, event, n):
        if self.peers:
            self.said.append(n)
        for one in self.peers:
            self.send(one, event.attrs.get("as", "chat:said"), n=n, more=event.attrs.get("more"))

    @rule(when("chat:said", n=integer()))
    def hear(self, event, n):
        self.heard.append(n)

    @rule(when("chat:ask"))
    def ask(self, event):
        self.told.append(self.query(self.peers[0], "test.chatter", "all")["said"])

    @rule(when("event:undeliverable"))
    def keep(self, event):
        self.returned.append({"n": event.attrs["attrs"]["n"], "code": event.attrs["code"]})


class Node:
    """An agent with one pico, named like the node; nothing is written before `run`."""

    def __init__(self, name: str, clock: VirtualClock, limits: AgentLimits, engine: EngineLimits) -> None:
        self.name, self.clock, self.limits, self.engine_limits = name, clock, limits, engine
        self.store = MemoryStore()
        self.key = bytes(SigningKey(SeededEntropy(name)(32)).verify_key)
        self.registry = Registry([Wrangler, Subscription, Chatter])
        self.lives = 0
        self.start()

    def start(self) -> None:
        """A new life, from what is in the store."""
        self.lives += 1
        self.mail: list[tuple[str, bytes]] = []
        self.answers: dict[Any, Any] = {}
        self.effects: list[Any] = []
        self.log: list[str] = []
        self.agent = Agent(
            self.store,
            self.registry,
            SeededEntropy(f"{self.name}{self.lives}"),
            self.key,
            limits=self.limits,
            engine_limits=self.engine_limits,
        )
        self.agent.start(self.clock.now, [f"/{self.name}"])
        self.run()

    @property
    def peer_id(self) -> str:
        return self.agent.peer_id

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
                self.mail += [(effect.peer_id, data) for data in effect.frames]
            elif isinstance(effect, CommandAnswer | Failed | EventAnswer | QueryAnswer):
                self.answers[effect.reply] = effect
            elif isinstance(effect, LogLine):
                self.log.append(effect.text)
            elif isinstance(effect, Connect | Forget):
                self.effects.append(effect)

    def give(self, message: Any) -> None:
        self.agent.receive(message, self.clock.now)
        self.run()

    def begin(self, name: str, /, **parameters: Any) -> None:
        """Give a command that is answered later."""
        self.give(Command(name, parameters, reply=name))

    def answer(self, name: str) -> Any:
        answer = self.answers.pop(name)
        if isinstance(answer, Failed):
            raise answer.error
        return answer.value

    def command(self, name: str, /, **parameters: Any) -> Any:
        self.begin(name, **parameters)
        return self.answer(name)

    def say(self, n: int, **more: Any) -> None:
        self.command("event", target=self.name, name="chat:say", attrs={"n": n, **more})

    def all(self) -> Any:
        return self.command("query", target=self.name, rid="test.chatter", name="all")["result"]

    def connections(self) -> list[dict[str, Any]]:
        return self.command("connections", pico=self.name)

    def connection(self) -> dict[str, Any]:
        (one,) = self.connections()
        return one

    @property
    def counters(self) -> dict[str, int]:
        return self.agent.engine.counters

    def copy_of_store(self) -> MemoryStore:
        """A backup."""
        copy = MemoryStore()
        copy.write(Batch(dict(self.store.scan(b"\0", b"\xff"))))
        return copy


class Net:
    """Nodes by name; sessions between all of them, unless `down` or `cut`."""

    def __init__(
        self, *names: str, limits: AgentLimits | None = None, engine: EngineLimits | None = None
    ) -> None:
        self.clock = VirtualClock()
        self.nodes: dict[str, Node] = {}
        self.session = 0
        for name in names or ("a", "b"):
            node = Node(name, self.clock, limits or AgentLimits(), engine or EngineLimits())
            self.nodes[name] = node
            node.command("pico_new", name=name, rulesets=["test.chatter"])
        self.up()

    def __getattr__(self, name: str) -> Node:
        try:
            return self.__dict__["nodes"][name]
        except KeyError:
            raise AttributeError(name) from None

    def up(self) -> None:
        """New sessions; what was on its way is gone."""
        self.session += 1
        for node in self.nodes.values():
            node.mail.clear()
        for one in self.nodes.values():
            for other in self.nodes.values():
                if other is not one:
                    one.give(PeerUp(other.peer_id, self.session))

    def down(self) -> None:
        for one in self.nodes.values():
            for other in self.nodes.values():
                if other is not one:
                    one.give(PeerDown(other.peer_id, self.session))
            one.mail.clear()

    def crash(self, node: Node) -> None:
        """It forgets what is not in its store; the others notice."""
        for other in self.nodes.values():
            if other is not node:
                other.give(PeerDown(node.peer_id, self.session))
        node.start()

    def by_peer(self, peer_id: str) -> Node:
        return next(node for node in self.nodes.values() if node.peer_id == peer_id)

    def deliver(self, sender: Node, index: int = 0) -> bytes:
        """Deliver one frame that `sender` has sent."""
        peer_id, data = sender.mail.pop(index)
        self.by_peer(peer_id).give(PeerFrames(sender.peer_id, self.session, [data]))
        return data

    def settle(self, fault: Callable[[Node, int], bool] | None = None) -> int:
        """Deliver all mail, in order; `fault` is asked before each frame and may do what it likes."""
        count = 0
        for _ in range(ROUNDS_MAX):
            busy = [node for node in self.nodes.values() if node.mail]
            if not busy:
                return count
            for node in busy:
                for _ in range(len(node.mail)):
                    if not (fault is not None and fault(node, count)):
                        self.deliver(node)
                    count += 1
                    if not node.mail:
                        break
        raise AssertionError("they never stop talking")

    def calm(self) -> None:
        """Let time pass and mail come through until nobody has anything left to say."""
        for _ in range(8):
            self.settle()
            self.clock.seconds(61)
            for node in self.nodes.values():
                node.run()
        self.settle()

    def meet(self, inviter: str = "a", invitee: str = "b", **more: Any) -> str:
        """Connect two picos; answers the invitation's id."""
        invitation = self.nodes[inviter].command("invite", pico=inviter, **more)
        self.nodes[invitee].command("accept", pico=invitee, url=invitation["url"])
        self.settle()
        return invitation["id"]
