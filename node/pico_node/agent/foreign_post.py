"""What goes to agents of other makes: sealed for the other side of a connection, on a way that there is.

An answer goes back with the connection of the message that it answers, where that says so (`return_route`);
everything else to the endpoints of the other side's document: libp2p by `didcomm/v2`, HTTP by POST, either
perhaps behind a mediator; they are tried in the document's order until one takes it. What a pico's turns send
waits in its outbox until the commit, then leaves once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pico_didcomm import DidcommError, Message, Resolver
from pico_didcomm.did.document import DidDocument
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.did.service import Endpoint, endpoints_of
from pico_didcomm.did.web import PREFIX as WEB
from pico_didcomm.errors import BadMessage, LimitExceeded, NoRoute, NotFetched
from pico_didcomm.media import MEDIA_TYPES
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.pico_engine import CONTENT_TYPE, is_pico_engine_did, new_resolver, query_result
from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message
from pico_didcomm.protocols.events import Event, Query, make_event, make_query
from pico_didcomm.protocols.return_route import return_route_of
from pico_didcomm.protocols.routing import Route, routes_to, wrap
from pico_engine.errors import BadRequest, Busy, EngineError
from pico_engine.messages import RemoteQuery, WaitAnswer
from pico_engine.values import FrozenMap, Json, freeze, thaw
from pico_node.agent.carriable import check_carriable
from pico_node.agent.errors import PeerUnreachable, RemoteError
from pico_node.agent.identities import keys_of
from pico_node.agent.messages import ForeignAnswer, PostAnswered, PostMessage, SendForeign, SendSocket
from pico_node.agent.rows import (
    ESTABLISHED,
    REQUESTED,
    connection_of,
    connection_to,
    numbers,
    outbox_key,
    put_numbers,
)

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

DOMAIN: Final = "didcomm"
"""Of the events that tell a pico what another agent said, and of `didcomm:basic_message` to it."""

UNSENT: Final = "foreign/"
"""Where the node's rows say which connections with other agents have something to send."""

_OF_CONNECTION: Final = frozenset({"from", "to", "from_prior"})
"""Headers that the connection says, whatever a pico writes."""

LIBP2P_SCHEME: Final = "libp2p-peerid"

WAYS_MAX: Final = 4
"""Endpoints of a document that are tried: each may take as long as a request may, and strangers name them."""


@dataclass(slots=True)
class Origin:
    """How a message came, and what it allows.

    The node it came from; or whoever waits for its answer; or the WebSocket on which it came; or its id at
    our mediator (`fetched`), which may drop it when we are done with it.
    """

    peer_id: str
    reply: Any = None
    socket: int = 0
    fetched: str = ""


class ForeignPost:
    """Messages to agents of other makes."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.to_send: dict[str, None] = {}
        self._asked: dict[str, int] = {}

    # -- what turns send ----------------------------------------------------------------------------------

    def add(self, pico: Pico, eci: str, domain: str, name: str, attrs: Json) -> None:
        """An event of the pico for the other side, in the turn at hand; it leaves after the commit.

        Raises Busy when too many wait for somebody who has not answered yet.
        """
        row, limit = connection_of(pico, eci), self._agent.limits.outbox_max_messages
        if row is not None and row["state"] == REQUESTED and numbers(pico, eci)[0] >= limit:
            raise Busy(f"{limit:,} events wait for the other side already (outbox_max_messages)")
        self.put(pico, eci, {"kind": "foreign", "domain": domain, "type": name, "attrs": attrs})

    def add_message(self, pico: Pico, their_did: str, message: Json) -> bool:
        """A message in plain text, see Port.send_message. It leaves after the commit."""
        eci = connection_to(pico, their_did)
        row = connection_of(pico, eci) if eci is not None else None
        if eci is None or row is None or "foreign" not in row:
            return False
        if row["state"] != ESTABLISHED:
            raise Busy("the other side has not answered yet", "wait for connection:established")
        check_carriable(message, "a message", self._agent.engine.limits.attributes_max_bytes)
        given = {name: value for name, value in thaw(message).items() if name not in _OF_CONNECTION}
        try:
            Message.from_dict({"id": "none", **given})
        except DidcommError as error:
            raise BadRequest(f"no DIDComm message: {error}") from None
        self.put(pico, eci, {"kind": "foreign", "domain": "", "type": "", "attrs": {}, "message": given})
        return True

    def put(self, pico: Pico, eci: str, row: Mapping[str, Json]) -> None:
        """A row of the outbox, in the turn at hand."""
        sent, received = numbers(pico, eci)
        put_numbers(pico, eci, sent + 1, received)
        row = {**row, "id": self._agent.entropy(16).hex(), "created": self._agent.now, "after": ""}
        pico.outbox.put(outbox_key(eci, sent + 1), freeze(row))
        self._agent.node.unsent.put(UNSENT + eci, pico.did)
        self.to_send[eci] = None

    def start(self) -> None:
        """Take up what was committed and not sent."""
        for key, _ in list(self._agent.node.unsent.scan(UNSENT, UNSENT[:-1] + "0")):
            self.to_send[key.removeprefix(UNSENT)] = None

    def flush(self) -> None:
        """Send what turns have committed. Once: whether it arrives nobody tells."""
        agent = self._agent
        to_send, self.to_send = self.to_send, {}
        for eci in to_send:
            pico = agent.engine.loaded_or_stored(agent.engine.index.get(eci))
            if pico is not None and pico.turn is not None:
                self.to_send[eci] = None  # the rows may be that turn's own, and be undone
                continue
            connection = connection_of(pico, eci) if pico is not None else None
            if pico is None or connection is None:
                agent.node.unsent.delete(UNSENT + eci)
            elif connection["state"] == REQUESTED:
                agent.visits.knock(pico, eci)  # what else waits does so until somebody opens
            else:
                self._empty(pico, eci, connection)
        agent.engine.ledger.commit()

    def _empty(self, pico: Pico, eci: str, connection: FrozenMap) -> None:
        for key, row in list(pico.outbox.scan(eci + "/", eci + "0")):
            if connection["state"] == ESTABLISHED and row["kind"] == "foreign":
                message = self._message(pico, eci, connection, row)
                self.send(pico, eci, message, None, Origin(""))
            pico.outbox.delete(key)
        self._agent.node.unsent.delete(UNSENT + eci)

    def _message(self, pico: Pico, eci: str, connection: FrozenMap, row: FrozenMap) -> Message:
        mine, theirs, seconds = long_did(pico, eci), connection["their_did"], row["created"] // 1000
        if "message" in row:
            given = {"id": row["id"], **thaw(row["message"]), "from": mine, "to": [theirs]}
            return Message.from_dict(given)
        attrs = thaw(row["attrs"])
        content = attrs.get("content") if isinstance(attrs, dict) else None
        if (row["domain"], row["type"]) == (DOMAIN, "basic_message") and isinstance(content, str):
            lang = attrs.get("lang") if isinstance(attrs.get("lang"), str) else None
            return make_basic_message(row["id"], mine, theirs, BasicMessage(content, lang, seconds))
        event = Event(row["domain"], row["type"], attrs)
        return make_event(row["id"], mine, theirs, event, created_time=seconds)

    # -- the way ------------------------------------------------------------------------------------------

    def send(self, pico: Pico, eci: str, message: Message, answers: Message | None, origin: Origin) -> None:
        """Seal a message and let it go the way that there is; counted and logged where there is none."""
        agent = self._agent
        row = connection_of(pico, eci)
        if row is None:
            return
        did = pico.did
        try:
            resolver = self.resolver(row)
            document = resolver.resolve(row["their_did"])
            envelope = self._seal(pico, eci, message, document)
            returns = answers is not None and return_route_of(answers).carries(message)
            if returns and self.back(origin, envelope, _addresses_of(origin.peer_id, document)):
                return
            agent.effect(self.posted(document, envelope, resolver))
        except NotFetched as error:
            try:
                agent.documents.wait(error, lambda: self._again(did, eci, message, answers, origin))
            except EngineError as busy:
                self._unsent(eci, busy)
        except DidcommError as error:
            self._unsent(eci, error)

    def _again(self, did: str, eci: str, message: Message, answers: Message | None, origin: Origin) -> None:
        pico = self._agent.engine.loaded_or_stored(did)
        if pico is not None:
            self.send(pico, eci, message, answers, origin)

    def _unsent(self, eci: str, error: Exception) -> None:
        self._agent.engine.count("foreign_unsent")
        self._agent.note("warning", f"no way to the other side of {eci}: {error}")

    def _seal(self, pico: Pico, eci: str, message: Message, document: DidDocument) -> bytes:
        keys = keys_of(pico.channels.rows[eci].secret)
        return pack_authcrypt(message, keys, document, self._agent.entropy)

    def resolver(self, row: Mapping[str, Json]) -> DidResolver:
        """Knows the other side of a connection by the short form of its DID, too."""
        if is_pico_engine_did(row["their_did"]):
            return new_resolver()
        resolver = Resolver(documents_cached_max=4)
        if row["their_long"] and is_long_form(row["their_long"]):
            resolver.learn(row["their_long"])
        return self._agent.documents.beside(resolver)

    def back(self, origin: Origin, envelope: bytes, addresses: tuple[str, ...] = ()) -> bool:
        """Send an envelope back to where a message came from; False where there is no such way.

        `addresses` are those of the libp2p node, which may have closed its connection meanwhile.
        """
        if origin.socket:
            self._agent.effect(SendSocket(origin.socket, envelope))
        elif origin.reply is not None:
            self.settle(origin, envelope)
        elif origin.peer_id:
            self._agent.effect(SendForeign(origin.peer_id, addresses, envelope))
        else:
            return False
        return True

    def posted(
        self,
        document: DidDocument,
        envelope: bytes,
        resolver: DidResolver,
        *,
        tag: str = "",
        granted: bool = False,
    ) -> SendForeign | PostMessage:
        """An envelope on the ways that its recipient's document names and this node has, first to last.

        `tag` and `granted` as in PostMessage. Raises NoRoute; NotFetched for a mediator's document.
        """
        effect: SendForeign | PostMessage | None = None
        media_type = CONTENT_TYPE if is_pico_engine_did(document.did) else MEDIA_TYPES["encrypted"]
        for route, addresses in reversed(self.ways_to(document, resolver)):
            uri = route.endpoint.uri
            wrapped = wrap(envelope, document.did, route.hops, resolver, self._agent.entropy, self.new_id)
            if route.endpoint.scheme == LIBP2P_SCHEME:
                effect = SendForeign(uri.partition(":")[2], addresses, wrapped, effect)
            else:
                effect = PostMessage(uri, wrapped, media_type, tag, granted, effect)
        assert effect is not None, "there is a way, or NoRoute"
        return effect

    @staticmethod
    def ways_to(document: DidDocument, resolver: DidResolver) -> list[tuple[Route, tuple[str, ...]]]:
        """The ways that this node has, WAYS_MAX at most, each with its libp2p addresses if it is of those.

        Raises NoRoute; NotFetched for a mediator's document.
        """
        for endpoint in endpoints_of(document):
            if endpoint.uri.startswith(WEB):
                resolver.resolve(endpoint.uri)  # or it would be passed over
        found: list[tuple[Route, tuple[str, ...]]] = []
        problem = NoRoute("none of its endpoints is of a transport that this node has")
        for route in routes_to(document, resolver):
            try:
                if _is_ours(route.endpoint):
                    found.append((route, _addresses(route.endpoint)))
            except DidcommError as error:
                problem = NoRoute(f"none of its endpoints can be used: {error.what}")
        if not found:
            raise problem
        return found[:WAYS_MAX]

    def settle(self, origin: Origin, envelope: bytes | None) -> None:
        """Answer whoever waits on the message's own connection, once; let the mediator drop the message."""
        if origin.reply is not None:
            reply, origin.reply = origin.reply, None
            self._agent.effect(ForeignAnswer(reply, envelope))
        if origin.fetched:
            self._agent.mediated.safe(origin.fetched)
            origin.fetched = ""

    def new_id(self) -> str:
        return self._agent.entropy(16).hex()

    # -- queries to the existing engine -------------------------------------------------------------------

    def ask(self, pico: Pico, eci: str, query: RemoteQuery) -> None:
        """Ask a pico of the existing engine; it answers in the clear, in the answer to the POST."""
        agent = self._agent
        row = connection_of(pico, eci)
        assert row is not None, "a query goes over a connection"
        asked = Query(query.rid, query.name, thaw(query.args))
        message = make_query(self.new_id(), long_did(pico, eci), row["their_did"], asked)
        try:
            if row["state"] != ESTABLISHED:
                raise PeerUnreachable("the other side has not answered yet")
            resolver = self.resolver(row)
            document = resolver.resolve(row["their_did"])
            envelope = self._seal(pico, eci, message, document)
            effect = self.posted(document, envelope, resolver, tag=message.id)
        except (DidcommError, EngineError) as error:
            self._answer(query.wait, RemoteError(f"the query could not be sent: {error}"))
            return
        if isinstance(effect, PostMessage):
            self._asked[message.id] = query.wait
        agent.effect(effect)

    def answered(self, message: PostAnswered) -> None:
        """What came of it."""
        wait = self._asked.pop(message.tag, None)
        if wait is None:
            return
        if message.body is None:
            self._answer(wait, PeerUnreachable("the other engine did not answer"))
            return
        try:
            result = freeze(query_result(message.body))
        except (DidcommError, EngineError) as error:
            self._answer(wait, RemoteError(f"the other engine's answer cannot be used: {error}"))
        else:
            self._agent.engine.receive(WaitAnswer(wait, result), self._agent.now)

    def _answer(self, wait: int, error: EngineError) -> None:
        self._agent.engine.receive(WaitAnswer(wait, error=error), self._agent.now)


def long_did(pico: Pico, eci: str) -> str:
    """The DID of a channel with its document."""
    found: str = pico.channels.rows[eci].secret["long"]
    return found


def _is_ours(endpoint: Endpoint) -> bool:
    """Whether this node has the transport."""
    return endpoint.scheme in (LIBP2P_SCHEME, "https", "http")


def _addresses_of(peer_id: str, document: DidDocument) -> tuple[str, ...]:
    """Where a document says that this node is; () where it says nothing of it."""
    ends = [one for one in endpoints_of(document) if peer_id and one.uri.partition(":")[2] == peer_id]
    return next((_addresses(one) for one in ends if one.scheme == LIBP2P_SCHEME), ())


def _addresses(endpoint: Endpoint) -> tuple[str, ...]:
    """libp2p addresses beside the peer id, as the DIF's extension has them."""
    found = endpoint.extra.get("multiAddrs")
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) and len(one) <= 512 for one in found):
        raise BadMessage("multiAddrs is not a list of addresses")
    if len(found) > 16:
        raise LimitExceeded("more than 16 multiAddrs")
    return tuple(found)


__all__ = ["DOMAIN", "ForeignPost", "Origin", "long_did"]
