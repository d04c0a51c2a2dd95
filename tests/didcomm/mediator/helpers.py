"""A mediator with its clients, whose envelopes are carried by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.identity import ChannelIdentity, make_channel_identity
from pico_didcomm.mediator.client import MediatorClient, mediated_service
from pico_didcomm.mediator.client import Transmit as ToMediator
from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.mediator.rows import MemoryRows, Rows
from pico_didcomm.mediator.server import Arrived, Mediator, Post, Refused, Transmit
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols import coordinate_mediation, pickup
from pico_didcomm.protocols.routing import routes_to, wrap
from tests.didcomm.helpers import NOW_MS, seeded

TYPE = "https://example.org/a/1.0/b"
PAIRS = list(zip(coordinate_mediation.VERSIONS, pickup.VERSIONS, strict=True))


@dataclass
class World:
    """The mediator; `client` makes a client, `send` a message for a DID behind the mediator."""

    limits: MediatorLimits | None = None
    rows: Rows = field(default_factory=MemoryRows)
    admits: Any = None
    now: int = NOW_MS

    def __post_init__(self) -> None:
        self.resolver = Resolver()
        endpoint = {"type": "DIDCommMessaging", "serviceEndpoint": {"uri": "https://mediator.example"}}
        self.identity = make_channel_identity(seeded("mediator"), [endpoint])
        self.resolver.learn(self.identity.long_did)
        self.entropy = seeded("world")
        self.mediator = self.new_mediator()
        self.sessions = count(1)
        self.posted: list[Post] = []
        self.refused: list[Refused] = []
        self.arrived: list[Arrived] = []

    def new_mediator(self) -> Mediator:
        more = {} if self.admits is None else {"admits": self.admits}
        # A resolver of its own: the mediator knows of its clients only what they sent.
        return Mediator(
            self.identity,
            self.identity.did,
            Resolver(),
            self.rows,
            self.entropy,
            limits=self.limits,
            **more,
        )

    def client(self, name: str, **more: Any) -> Client:
        return Client(self, name, more)

    def behind(self, name: str) -> ChannelIdentity:
        """An identity whose endpoint is the mediator."""
        identity = make_channel_identity(seeded(name), [mediated_service(self.identity.long_did)])
        self.resolver.learn(identity.long_did)
        return identity

    def forward(self, to: ChannelIdentity, text: str = "m", **more: Any) -> bytes:
        """What a sender sends to the mediator."""
        document = self.resolver.resolve(to.did)
        envelope = pack_anoncrypt(Message(text, TYPE, to=(to.did,)), document, self.entropy)
        (route,) = routes_to(document, self.resolver)
        ids = count()
        return wrap(
            envelope, to.did, route.hops, self.resolver, self.entropy, lambda: f"f-{next(ids)}", **more
        )

    def send(self, to: ChannelIdentity, text: str = "m", **more: Any) -> list[Transmit]:
        return self.take(self.forward(to, text, **more), next(self.sessions))

    def take(self, data: bytes, session: int) -> list[Transmit]:
        """Hand an envelope to the mediator; what it sends back."""
        self.mediator.receive(data, session, self.now)
        sent = []
        while (effect := self.mediator.next_effect()) is not None:
            match effect:
                case Transmit():
                    sent.append(effect)
                case Post():
                    self.posted.append(effect)
                case Refused():
                    self.refused.append(effect)
                case Arrived():
                    self.arrived.append(effect)
        return sent


class Client:
    """A client with a connection: a lasting one, or a new one for each message."""

    def __init__(self, world: World, name: str, more: dict[str, Any]) -> None:
        self.world = world
        self.identity = make_channel_identity(seeded(name))
        self.resolver = Resolver()
        self.resolver.learn(world.identity.long_did)
        self.machine = MediatorClient(
            self.identity,
            self.identity.long_did,
            world.identity.did,
            self.resolver,
            seeded(name + "s"),
            **more,
        )
        self.session: int | None = None

    def connect(self) -> int:
        self.session = next(self.world.sessions)
        self.world.mediator.opened(self.session)
        return self.session

    def disconnect(self) -> None:
        assert self.session is not None
        self.world.mediator.closed(self.session)
        self.machine.disconnected()
        self.session = None

    def run(self) -> list[Any]:
        """Carry envelopes to and fro until nothing is left; what the client told its owner."""
        told = []
        while (effect := self.machine.next_effect()) is not None:
            if isinstance(effect, ToMediator):
                session = self.session or next(self.world.sessions)
                for sent in self.world.take(effect.envelope, session):
                    assert sent.session == session
                    self.machine.receive(sent.envelope, self.world.now)
            else:
                told.append(effect)
        return told

    def hear(self, sent: list[Transmit]) -> list[Any]:
        """Take what came on the connection by itself."""
        for one in sent:
            assert one.session == self.session
            self.machine.receive(one.envelope, self.world.now)
        return self.run()

    def registered(self, *dids: str) -> Client:
        self.machine.register(self.world.now)
        self.run()
        if dids:
            self.machine.update(self.world.now, add=dids)
            self.run()
        return self
