"""Agents of other makes: they answer an invitation, ping, ask and write, and hear back the way they said."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from pico_didcomm.did.peer import make_peer_2, resolve_peer_2
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.from_prior import make_from_prior
from pico_didcomm.keys import key_pair
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt
from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message, parse_basic_message
from pico_didcomm.protocols.discover_features import Query as FeatureQuery
from pico_didcomm.protocols.discover_features import make_queries, parse_disclose
from pico_didcomm.protocols.empty import EMPTY_TYPE
from pico_didcomm.protocols.events import (
    EVENT_TYPE,
    Event,
    Query,
    make_event,
    make_query,
    parse_answer,
    parse_event,
)
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.problem_report import ProblemReport, make_problem_report, parse_problem_report
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.routing import parse_forward
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_didcomm.unpack import Unpacked, unpack
from pico_didcomm.wallet import Wallet
from pico_engine import Ruleset, ent, query, rule, when
from pico_engine.api import PicoView
from pico_engine.krl import compile_ruleset
from pico_engine.messages import OperationMessage
from pico_node.agent.messages import (
    Command,
    FetchDocument,
    ForeignAnswer,
    ForeignMessage,
    OpenLink,
    PostMessage,
    SendForeign,
    SendLink,
    SendSocket,
)
from tests.didcomm.helpers import seeded
from tests.node.agent.net import Net, Node

OUTSIDE = (SendForeign, PostMessage, ForeignAnswer, FetchDocument, SendSocket, OpenLink, SendLink)
PEER = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo"
UNSUPPORTED = "https://example.org/tictactoe/1.0/move"


class Listener(Ruleset, rid="test.listener"):
    """Keeps what other agents said, and says things to them."""

    heard: list = ent(default=[])

    @query
    def all(self):
        return self.heard

    @rule(when("didcomm:basic_message", "didcomm:user_profile", "didcomm:problem_report", "didcomm:features"))
    def note(self, event):
        self.heard.append({"type": event.type, **event.attrs})

    @rule(when("connection:established", "connection:ended", "connection:refused", "sensor:reading"))
    def meet(self, event):
        self.heard.append({"type": f"{event.domain}:{event.type}", **event.attrs})

    @rule(when("sensor:broken"))
    def fail(self, event):
        raise ValueError("broken")

    @rule(when("say:to"))
    def say(self, event):
        self.send(event.attrs["did"], event.attrs["as"], **event.attrs["attrs"])


class Stranger:
    """An agent that knows nothing of picomesh; its DID is a did:peer:2 with keys on `curve`."""

    def __init__(self, net: Net, name: str = "stranger", endpoint: Any = None, curve: str = "X25519") -> None:
        self.net, self.name = net, name
        self.resolver = Resolver()
        self.entropy = seeded(name)
        self.ids = count()
        services = [{"type": "DIDCommMessaging", "serviceEndpoint": endpoint}] if endpoint else []
        agreement = key_pair(curve, self.entropy(32))
        signing = key_pair("Ed25519", self.entropy(32))
        self.did = make_peer_2([("V", signing.public_key), ("E", agreement.public_key)], services)
        self.wallet = Wallet()
        self.wallet.add(resolve_peer_2(self.did), [agreement, signing])
        self.theirs = ""

    def new_id(self) -> str:
        return f"{self.name}-{next(self.ids)}"

    def read(self, url: str) -> str:
        """Take an invitation; its id."""
        invitation = parse_invitation_url(url, self.net.clock.now)
        self.theirs = invitation.sender
        self.resolver.learn(self.theirs)
        return invitation.thread

    def seal(self, message: Message) -> bytes:
        return pack_authcrypt(message, self.wallet, self.resolver.resolve(self.theirs), self.entropy)

    def greeting(self, thread: str) -> bytes:
        """Answers an invitation, and wants no answer."""
        hello = make_ping(self.new_id(), self.did, self.theirs, response_requested=False)
        return self.seal(replace(hello, pthid=thread))

    def open(self, envelope: bytes) -> Unpacked:
        unpacked = unpack(envelope, self.wallet, self.resolver, self.net.clock.now)
        assert unpacked.authenticated
        return unpacked


class World:
    """A node with a listening pico, and what it does to the outside."""

    def __init__(self) -> None:
        self.net = Net("a")
        self.node: Node = self.net.a
        self.node.registry.add(Listener)
        pico = self.node.agent.commands.find("a")
        self.node.give(OperationMessage(pico.did, "test", lambda one: PicoView(one).install("test.listener")))
        self.outside: list[Any] = []

    def invite(self, **more: Any) -> dict[str, Any]:
        return self.node.command("invite", pico="a", **more)

    def give(self, data: bytes, *, reply: str | None = None, peer_id: str = PEER) -> list[Any]:
        """Hand in a message; the effects for the outside."""
        message = ForeignMessage("" if reply else peer_id, data, reply)
        self.node.agent.receive(message, self.net.clock.now)
        return self.effects()

    def effects(self) -> list[Any]:
        found = []
        agent = self.node.agent
        take = agent.next_effect

        def keep() -> Any:
            effect = take()
            if isinstance(effect, OUTSIDE):
                found.append(effect)
            return effect

        agent.next_effect = keep  # type: ignore[method-assign]  # the node's loop drops what it does not know
        try:
            self.node.run()
        finally:
            del agent.next_effect
        return found

    def heard(self) -> list[Any]:
        return self.node.command("query", target="a", rid="test.listener", name="all")["result"]

    def met(self, stranger: Stranger) -> Stranger:
        thread = stranger.read(self.invite()["url"])
        assert self.give(stranger.greeting(thread)) == []
        return stranger


@pytest.fixture
def world() -> World:
    return World()


def returning(message: Message) -> Message:
    return replace(message, extra=ALL.headers())


def only(stranger: Stranger, effects: list[Any]) -> Message:
    """The one answer, which came back to the node that the message was from."""
    (effect,) = effects
    assert isinstance(effect, SendForeign)
    assert (effect.peer_id, effect.addresses) == (PEER, ())
    return stranger.open(effect.message).message


@pytest.mark.parametrize("curve", ["X25519", "P-256"])
def test_a_ping_that_answers_an_invitation_makes_a_connection(world: World, curve: str) -> None:
    stranger = Stranger(world.net, endpoint=None, curve=curve)
    if curve == "P-256":  # a channel has an X25519 key only: no common curve, nothing comes through
        stranger.read(world.invite()["url"])
        with pytest.raises(Exception, match="curve"):
            stranger.seal(make_ping("p", stranger.did, stranger.theirs))
        return
    thread = stranger.read(world.invite(name="friend")["url"])
    ping = returning(replace(make_ping("p", stranger.did, stranger.theirs), pthid=thread))
    answer = only(stranger, world.give(stranger.seal(ping)))
    assert (answer.type, answer.thid, answer.to) == (PING_RESPONSE_TYPE, "p", (stranger.did,))
    assert answer.from_ == stranger.theirs  # as the stranger called it, who knows no short form yet
    connection = world.node.connection()
    assert (connection["state"], connection["Tx"], connection["name"]) == (
        "established",
        stranger.did,
        "friend",
    )
    assert [one["type"] for one in world.heard()] == ["connection:established"]
    # and it is for one guest
    other = Stranger(world.net, "other")
    other.theirs = stranger.theirs
    other.resolver.learn(other.theirs)
    assert world.give(other.seal(replace(make_ping("q", other.did, other.theirs), pthid=thread))) == []
    assert world.node.counters["inbound_refused_sender-mismatch"] == 1


def test_an_old_engines_ping_needs_no_thread_but_other_messages_do(world: World) -> None:
    stranger = Stranger(world.net)
    stranger.read(world.invite()["url"])
    text = make_basic_message("b", stranger.did, stranger.theirs, BasicMessage("hello"))
    assert world.give(stranger.seal(text)) == []
    assert world.node.connection()["state"] == "invited"
    ping = returning(make_ping("p", stranger.did, stranger.theirs, old_spelling=True))
    assert only(stranger, world.give(stranger.seal(ping))).type.endswith("/ping_response")


def test_a_first_message_may_be_any(world: World) -> None:
    stranger = Stranger(world.net)
    thread = stranger.read(world.invite()["url"])
    text = make_basic_message("b", stranger.did, stranger.theirs, BasicMessage("hello", "en", 7))
    assert world.give(stranger.seal(replace(text, pthid=thread))) == []
    told = world.heard()[-1]
    assert (told["type"], told["content"], told["lang"], told["sent_time"]) == (
        "basic_message",
        "hello",
        "en",
        7,
    )
    assert told["message_id"] == "b"


def test_an_expired_or_anonymous_or_unknown_message_does_nothing(world: World) -> None:
    stranger = Stranger(world.net)
    thread = stranger.read(world.invite()["url"])
    ping = returning(replace(make_ping("p", stranger.did, stranger.theirs), pthid=thread))
    document = stranger.resolver.resolve(stranger.theirs)
    anonymous = pack_anoncrypt(replace(ping, from_=None), document, stranger.entropy)
    assert world.give(anonymous) == []
    assert world.give(anonymous, reply="http") == [ForeignAnswer("http", None)]
    assert world.give(b"nonsense", reply="http") == [ForeignAnswer("http", None)]
    elsewhere = pack_anoncrypt(Message("m", UNSUPPORTED), resolve_peer_2(stranger.did), stranger.entropy)
    assert world.give(elsewhere, reply="http") == [ForeignAnswer("http", None)]
    assert world.node.counters["inbound_refused_unknown-channel"] == 1
    world.net.clock.seconds(3_600 * 24 * 400)
    assert world.give(stranger.seal(ping)) == []
    assert world.node.connection()["state"] == "invited"


def test_features(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    queries = [FeatureQuery("protocol", "https://didcomm.org/trust-*")]
    question = returning(make_queries("q", stranger.did, stranger.theirs, queries))
    answer = only(stranger, world.give(stranger.seal(question)))
    assert [one.id for one in parse_disclose(answer)] == ["https://didcomm.org/trust-ping/2.0"]


def test_acknowledgements_and_problems(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    text = make_basic_message("b", stranger.did, stranger.theirs, BasicMessage("hello"))
    answer = only(stranger, world.give(stranger.seal(returning(replace(text, please_ack=("",))))))
    assert (answer.type, answer.ack) == (EMPTY_TYPE, ("b",))
    move = returning(Message("x", UNSUPPORTED, from_=stranger.did, to=(stranger.theirs,)))
    report = parse_problem_report(only(stranger, world.give(stranger.seal(move))))
    assert (report.code, report.pthid) == ("e.p.msg.unsupported", "x")
    trouble = make_problem_report("y", ProblemReport("e.p.me", "t", "no"), stranger.did, stranger.theirs)
    assert world.give(stranger.seal(trouble)) == []
    assert {"type": "problem_report", "code": "e.p.me"}.items() <= world.heard()[-1].items()


def test_events_and_queries(world: World) -> None:
    stranger = world.met(Stranger(world.net))

    def event(name: str, domain: str = "sensor", **more: Any) -> bytes:
        made = make_event(
            stranger.new_id(), stranger.did, stranger.theirs, Event(domain, name, {"celsius": 20})
        )
        return stranger.seal(returning(replace(made, **more)))

    assert world.give(event("reading")) == []
    assert {"type": "sensor:reading", "celsius": 20}.items() <= world.heard()[-1].items()
    assert only(stranger, world.give(event("reading", please_ack=("",)))).type == EMPTY_TYPE
    denied = parse_problem_report(only(stranger, world.give(event("ended", "connection"))))
    assert denied.code == "e.m.denied-by-policy"
    asked = make_query("q", stranger.did, stranger.theirs, Query("test.listener", "all", {}))
    answer = parse_answer(only(stranger, world.give(stranger.seal(returning(asked)))))
    assert (answer.thid, len(answer.result)) == ("q", 3)
    bad = make_query("r", stranger.did, stranger.theirs, Query("test.listener", "nothing", {}))
    answer = parse_answer(only(stranger, world.give(stranger.seal(returning(bad)))))
    assert answer.error is not None
    broken = Message("z", EVENT_TYPE, {"domain": 7}, from_=stranger.did, to=(stranger.theirs,))
    assert (
        parse_problem_report(only(stranger, world.give(stranger.seal(returning(broken))))).code == "e.p.msg"
    )


def test_a_repeated_message_does_nothing(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    text = stranger.seal(make_basic_message("b", stranger.did, stranger.theirs, BasicMessage("once")))
    for _ in range(3):
        world.give(text)
    assert [one.get("content") for one in world.heard()].count("once") == 1
    assert world.node.counters["messages_repeated"] == 2


def test_only_the_other_side_is_heard(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    other = Stranger(world.net, "other")
    other.theirs = stranger.theirs
    other.resolver.learn(other.theirs)
    assert world.give(other.seal(returning(make_ping("p", other.did, other.theirs)))) == []
    assert world.node.counters["inbound_refused_sender-mismatch"] == 1


def test_it_may_go_on_under_another_did(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    new = Stranger(world.net, "new")
    new.theirs = stranger.theirs
    new.resolver.learn(new.theirs)
    prior = make_from_prior(stranger.wallet.signing_key(stranger.did), new.did, world.net.clock.now // 1000)
    ping = returning(replace(make_ping("p", new.did, new.theirs), from_prior=prior))
    assert only(new, world.give(new.seal(ping))).to == (new.did,)
    assert world.node.connection()["Tx"] == new.did
    assert world.give(stranger.seal(returning(make_ping("q", stranger.did, stranger.theirs)))) == []


@pytest.mark.parametrize("authenticated", [True, False])
def test_the_other_side_ends_the_relationship(world: World, authenticated: bool) -> None:
    stranger = world.met(Stranger(world.net))
    prior = make_from_prior(stranger.wallet.signing_key(stranger.did), None, 1)
    end = Message("e", EMPTY_TYPE, to=(stranger.theirs,), from_prior=prior)
    document = stranger.resolver.resolve(stranger.theirs)
    if authenticated:
        named = replace(end, from_=stranger.did, from_prior=None)
        world.give(stranger.seal(named))  # says nothing about an end
        assert world.node.connection()["state"] == "established"
    world.give(pack_anoncrypt(end, document, stranger.entropy))
    assert world.node.connections() == []
    assert world.heard()[-1]["type"] == "connection:ended"


def test_nobody_else_ends_it(world: World) -> None:
    stranger, other = world.met(Stranger(world.net)), Stranger(world.net, "other")
    prior = make_from_prior(other.wallet.signing_key(other.did), None, 1)
    end = Message("e", EMPTY_TYPE, to=(stranger.theirs,), from_prior=prior)
    document = stranger.resolver.resolve(stranger.theirs)
    assert world.give(pack_anoncrypt(end, document, other.entropy)) == []
    assert world.node.connection()["state"] == "established"
    assert world.node.counters["inbound_refused_sender-mismatch"] == 1


# -- the ways back ------------------------------------------------------------------------------------------


def test_in_the_answer_to_the_request(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    ping = make_ping("p", stranger.did, stranger.theirs)
    (effect,) = world.give(stranger.seal(returning(ping)), reply="http")
    assert isinstance(effect, ForeignAnswer)
    assert stranger.open(effect.message).message.type == PING_RESPONSE_TYPE
    asked = make_query("q", stranger.did, stranger.theirs, Query("test.listener", "all", {}))
    (effect,) = world.give(stranger.seal(returning(asked)), reply="http")
    assert parse_answer(stranger.open(effect.message).message).thid == "q"


def test_to_nowhere(world: World) -> None:
    """No return route and no endpoint: the answer is lost, and whoever waits hears that none comes."""
    stranger = world.met(Stranger(world.net))
    ping = stranger.seal(make_ping("p", stranger.did, stranger.theirs))
    assert world.give(ping, reply="http") == [ForeignAnswer("http", None)]
    assert world.node.counters["foreign_unsent"] == 1


def test_to_an_http_endpoint(world: World) -> None:
    stranger = world.met(Stranger(world.net, endpoint={"uri": "https://stranger.example/didcomm"}))
    (effect, done) = world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs)), reply="http")
    assert isinstance(effect, PostMessage)
    assert effect.url == "https://stranger.example/didcomm"
    assert stranger.open(effect.message).message.thid == "p"
    assert done == ForeignAnswer("http", None)


def test_to_a_libp2p_endpoint(world: World) -> None:
    where = {"uri": f"libp2p-peerId:{PEER}", "multiAddrs": ["/ip4/127.0.0.1/tcp/4001"]}
    stranger = world.met(Stranger(world.net, endpoint=where))
    (effect,) = world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs)))
    assert (effect.peer_id, effect.addresses) == (PEER, ("/ip4/127.0.0.1/tcp/4001",))


def test_through_a_mediator(world: World) -> None:
    mediator = Stranger(world.net, "mediator", {"uri": "https://mediator.example"})
    stranger = world.met(Stranger(world.net, endpoint={"uri": mediator.did}))
    (effect,) = world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs)))
    assert effect.url == "https://mediator.example"
    forward = parse_forward(unpack(effect.message, mediator.wallet, Resolver(), world.net.clock.now).message)
    assert forward.next == stranger.did
    assert stranger.open(forward.payloads[0]).message.thid == "p"


@pytest.mark.parametrize(
    "endpoint", ["ftp://stranger.example", {"uri": f"libp2p-peerId:{PEER}", "multiAddrs": "x"}]
)
def test_endpoints_of_no_use(world: World, endpoint: Any) -> None:
    stranger = world.met(Stranger(world.net, endpoint=endpoint))
    assert world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs))) == []
    assert world.node.counters["foreign_unsent"] == 1


# -- what the pico says -------------------------------------------------------------------------------------


def say(world: World, stranger: Stranger, name: str, attrs: dict[str, Any]) -> list[Any]:
    told = {"did": stranger.did, "as": name, "attrs": attrs}
    world.node.agent.receive(
        Command("event", {"target": "a", "name": "say:to", "attrs": told}, reply="x"), world.net.clock.now
    )
    return world.effects()


def test_events_of_the_pico_leave_after_the_commit(world: World) -> None:
    stranger = world.met(Stranger(world.net, endpoint={"uri": "https://stranger.example"}))
    (effect,) = say(world, stranger, "sensor:reading", {"celsius": 21})
    assert parse_event(stranger.open(effect.message).message) == Event("sensor", "reading", {"celsius": 21})
    (effect,) = say(world, stranger, "didcomm:basic_message", {"content": "hi", "lang": "en"})
    basic = parse_basic_message(stranger.open(effect.message).message)
    assert (basic.content, basic.lang) == ("hi", "en")
    (effect,) = say(world, stranger, "didcomm:basic_message", {"text": "no content"})
    assert stranger.open(effect.message).message.type == EVENT_TYPE
    assert world.node.connection()["unacknowledged"] == 0


def test_the_end_of_such_a_connection(world: World) -> None:
    stranger = world.met(Stranger(world.net, endpoint={"uri": "https://stranger.example"}))
    connection = world.node.connection()
    world.node.command("connection_end", pico="a", id=connection["id"])
    assert world.node.connections() == []
    assert world.give(stranger.seal(make_ping("p", stranger.did, stranger.theirs))) == []


def test_it_survives_a_restart(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    world.node.start()
    ping = returning(make_ping("p", stranger.did, stranger.theirs))
    assert only(stranger, world.give(stranger.seal(ping))).thid == "p"


def test_our_own_nodes_may_come_this_way_too() -> None:
    net = Net("a", "b")
    net.meet()
    net.a.say(5)
    frames = [data for _, data in net.a.mail if data[:1] == b"D"]
    net.a.mail.clear()
    for data in frames:
        net.b.give(ForeignMessage(net.a.peer_id, data[1:]))
    assert net.b.all()["heard"] == [5]


MOVE = "https://example.org/chess/1.0/move"
CHESS = """ruleset test.chess {
  meta { shares all }
  global { all = function(){ ent:all } }
  rule begin { select when chess begin pre {
    x = dido:addRoute("https://example.org/chess/1.0/move", "chess", "moved") } }
  rule grab { select when chess grab pre { x = dido:addRoute(event:attrs{"type"}, "chess", "moved") } }
  rule moved { select when chess moved fired { ent:all := ent:all.defaultsTo([]).append(event:attrs) } }
  rule move { select when chess move pre {
    x = dido:send(event:attrs{"did"}, dido:generateMessage({"type": event:attrs{"type"}, "thid": "game",
      "body": {"to": event:attrs{"to"}}, "from": "did:example:somebody", "to": ["did:example:else"]})) } }
}"""


def chess() -> World:
    world = World()
    world.node.registry.add(compile_ruleset(CHESS).definition)
    pico = world.node.agent.commands.find("a")
    world.node.give(OperationMessage(pico.did, "test", lambda one: PicoView(one).install("test.chess")))
    tell(world, "chess:begin")
    return world


def tell(world: World, name: str, **attrs: Any) -> list[Any]:
    command = Command("event", {"target": "a", "name": name, "attrs": attrs}, reply="x")
    world.node.agent.receive(command, world.net.clock.now)
    return world.effects()


def moved(world: World) -> list[Any]:
    return world.node.command("query", target="a", rid="test.chess", name="all")["result"] or []


def test_a_routed_message_becomes_its_event_once() -> None:
    world = chess()
    stranger = world.met(Stranger(world.net))
    message = Message("m1", MOVE, {"to": "e4"}, from_=stranger.did, to=(stranger.theirs,))
    sealed = stranger.seal(returning(replace(message, please_ack=("",))))
    assert only(stranger, world.give(sealed)).type == EMPTY_TYPE
    world.give(sealed)
    (attrs,) = moved(world)
    assert attrs["message"]["body"] == {"to": "e4"}
    assert attrs["message"]["from"] == stranger.did
    assert attrs["metadata"] == {"encrypted": True, "authenticated": True, "anonymous_sender": False}
    world.node.start()
    world.give(stranger.seal(replace(message, id="m2")))
    assert [one["message"]["id"] for one in moved(world)] == ["m1", "m2"]
    other = stranger.seal(returning(replace(message, id="m3", type=UNSUPPORTED)))
    assert parse_problem_report(only(stranger, world.give(other))).code.startswith("e.")
    assert len(moved(world)) == 2


def test_events_and_pings_stay_the_connections_own() -> None:
    world = chess()
    stranger = world.met(Stranger(world.net))
    ping = make_ping("p", stranger.did, stranger.theirs)
    for one in (ping.type, EVENT_TYPE):
        tell(world, "chess:grab", type=one)
    assert only(stranger, world.give(stranger.seal(returning(ping)))).type == PING_RESPONSE_TYPE
    event = make_event("e", stranger.did, stranger.theirs, Event("sensor", "reading", {"celsius": 3}))
    world.give(stranger.seal(event))
    assert world.heard()[-1]["celsius"] == 3
    assert moved(world) == []


def test_a_ruleset_sends_messages_of_any_kind() -> None:
    world = chess()
    stranger = world.met(Stranger(world.net, endpoint={"uri": "https://stranger.example"}))
    (effect,) = tell(world, "chess:move", did=stranger.did, type=MOVE, to="e5")
    got = stranger.open(effect.message).message
    assert (got.type, got.body, got.thid) == (MOVE, {"to": "e5"}, "game")
    assert (got.from_, got.to) == (stranger.theirs, (stranger.did,))
    assert tell(world, "chess:move", did=stranger.did, type="no type at all", to="e5") == []
    assert tell(world, "chess:move", did="did:example:nobody", type=MOVE, to="e5") == []
    assert world.node.connection()["unacknowledged"] == 0
