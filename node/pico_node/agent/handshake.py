"""Making connections: invitation, request, response.

The inviting side makes a channel for each invitation; its DID is in the invitation, signed by it. The
request and the response are the first numbered messages of their lanes, so they are as durable as events:
both sides always come to agree. A refusal has no number: nothing is kept for a stranger. The request is
repeated, and refused again, until the refusal was heard. States and transitions:
`pico_didcomm.protocols.connection`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pico_didcomm import (
    DidcommError,
    Message,
    Resolver,
    Unpacked,
    canonical_did,
    pack_signed_anoncrypt,
    unpack,
)
from pico_didcomm.did.document import DidDocument
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.protocols.connection import (
    INITIAL,
    NodeHint,
    Request,
    Response,
    Roles,
    make_request,
    make_response,
    next_state,
    parse_request,
)
from pico_didcomm.protocols.events import SENDER_ORDER, sender_order
from pico_didcomm.protocols.out_of_band import invitation_url, make_invitation, parse_invitation_url
from pico_engine.channels import DIDCOMM, clean_tags
from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.events import Event
from pico_engine.messages import OperationMessage
from pico_engine.values import FrozenMap, Json, freeze
from pico_node.agent.errors import BadInvitation
from pico_node.agent.frames import DATA
from pico_node.agent.identities import channel_identity
from pico_node.agent.rows import (
    ESTABLISHED,
    INVITED,
    INVITEE,
    INVITER,
    REQUESTED,
    connection_of,
    connections_of,
    drop_outbox,
    mark_of,
    marks,
    numbers,
    outbox_key,
    put_connection,
    put_numbers,
    put_received,
)
from pico_rulesets.policies import PEER_EVENTS, PEER_QUERIES

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent
    from pico_node.agent.lanes import Lane

EPOCH = 1
"""The reign of a pico at this node; a move to another node will raise it."""
UNKNOWN_MEANS_LOST = 3
"""Once or twice the other side's farewell may still be on its way."""
NAME_MAX_CHARS = 128
"""Of a connection's name, label and roles: they are shown in lists."""


class Handshake:
    """Connections from invitation to end."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    # -- the inviting side --------------------------------------------------------------------------------

    def invite(self, pico: Pico, name: str, roles: tuple[str, str], label: str, expires_ms: int) -> Json:
        """Make a channel and a signed invitation to connect to it. Inside an operation on the pico."""
        agent = self._agent
        check_names(name, label, *roles)
        now = agent.now
        if not 0 < expires_ms - now <= agent.limits.invitation_max_age_ms:
            raise BadRequest("an invitation expires in the future, at most a year from now")
        open_ones = [row for _, row in connections_of(pico) if row["state"] == INVITED]
        if len(open_ones) >= agent.limits.invitations_max:
            raise LimitExceeded(f"pico {pico.did} has {len(open_ones)} open invitations (invitations_max)")
        channel = agent.engine.family.new_channel(
            pico,
            clean_tags(tag for tag in ("connection", name) if tag),
            PEER_EVENTS,
            PEER_QUERIES,
            (DIDCOMM,),
        )
        identity = channel_identity(channel.secret)
        invitation_id = agent.entropy(16).hex()
        put_connection(
            pico,
            channel.eci,
            {
                "id": invitation_id,
                "side": INVITER,
                "state": INITIAL[INVITER],
                "name": name,
                "their_label": "",
                "their_did": "",
                "their_long": "",
                "their_pico": None,
                "my_role": roles[0],
                "their_role": roles[1],
                "peer_id": "",
                "epoch": EPOCH,
                "created": now,
                "expires": expires_ms,
            },
        )
        body = {
            "roles": {"inviter": roles[0], "invitee": roles[1]},
            "node": {"peer_id": agent.peer_id, "addresses": list(agent.addresses)},
        }
        message = make_invitation(
            invitation_id,
            identity.long_did,
            label=label or pico.name or None,
            goal_code="connect",
            body=body,
            created_time=now // 1000,
            expires_time=expires_ms // 1000,
        )
        url = invitation_url(message, identity)
        return {"id": invitation_id, "url": url, "pico": pico.did, "eci": channel.eci, "expires": expires_ms}

    def receive_request(self, pico: Pico, eci: str, peer_id: str, data: bytes) -> None:
        """A message for a channel with an open invitation, or from a stranger. Raises DidcommError."""
        agent = self._agent
        identity = channel_identity(pico.channels.rows[eci].secret)
        unpacked = unpack(data, identity, Resolver(), agent.now)
        request = parse_request(unpacked)
        their_long, number = unpacked.message.from_, sender_order(unpacked.message)
        row = connection_of(pico, eci)
        if row is None or their_long is None or not is_long_form(their_long) or number != 1:
            raise BadInvitation("a request that does not begin a connection of its own")
        if request.node.peer_id != peer_id:
            raise BadInvitation("a request that names another node than the one it came from")
        their_did = canonical_did(their_long)
        if row["state"] == ESTABLISHED and row["their_did"] == their_did:
            lane = agent.lanes.find(eci)
            if lane is None or not self.respond_again(pico, lane, unpacked.message.id):
                agent.lanes.to_acknowledge(eci)
            return
        problem = self._why_not(row, request)
        if problem is not None:
            self._refuse(peer_id, identity, unpacked, their_long, problem)
            return
        agent.engine.receive(
            OperationMessage(
                pico.did,
                "connection request",
                lambda one: self._accept_request(one, eci, unpacked, request, their_long),
                reply=None,
            ),
            agent.now,
        )

    def _why_not(self, row: FrozenMap, request: Request) -> str | None:
        if row["state"] != INVITED:
            return "the invitation was used by somebody else, or withdrawn"
        if request.invitation != row["id"]:
            return "the request is for another invitation"
        if row["expires"] <= self._agent.now:
            return "the invitation has expired"
        return None

    def _accept_request(
        self, pico: Pico, eci: str, unpacked: Unpacked, request: Request, their_long: str
    ) -> None:
        row = connection_of(pico, eci)
        if row is None or row["state"] != INVITED:
            return
        their_did = canonical_did(their_long)
        node = request.node
        row = put_connection(
            pico,
            eci,
            row,
            state=next_state(INVITER, row["state"], "request accepted"),
            their_did=their_did,
            their_long=their_long,
            their_label=request.label,
            their_pico=request.pico,
            peer_id=node.peer_id,
            record=(unpacked.jws or b"").decode(),
        )
        pico.channels.put(eci, pico.channels.rows[eci].changed(peer=their_did))
        put_received(pico, eci, 1, unpacked.message.id)
        self._agent.learn_addresses(node.peer_id, node.addresses)
        self.add_to_outbox(pico, eci, {"kind": "response", "thid": unpacked.message.id})
        self._agent.lanes.to_acknowledge(eci)
        self._established(pico, eci, row)

    def respond_again(self, pico: Pico, lane: Lane, request_id: str) -> bool:
        """Answer a repeated request out of turn, where the response was acknowledged: they have lost it.

        The request is not acknowledged then; it is repeated until this answer has arrived.
        """
        if lane.acknowledged == 0 or pico.turn is not None:
            return False
        row = {"kind": "response", "id": self._agent.entropy(16).hex(), "thid": request_id}
        message, document = self.message_of(pico, lane, None, row)
        identity = channel_identity(pico.channels.rows[lane.eci].secret)
        envelope = pack_signed_anoncrypt(message, identity, document, self._agent.entropy)
        self._agent.send(lane.peer_id, [DATA + envelope])
        return True

    def _refuse(
        self,
        peer_id: str,
        identity: Any,
        unpacked: Unpacked,
        their_long: str,
        problem: str,
    ) -> None:
        """Answer a stranger's request, without keeping anything of it."""
        agent = self._agent
        agent.engine.count("connection_requests_refused")
        response = Response("", self.hint(), EPOCH, accepted=False, problem=problem)
        message = make_response(
            agent.entropy(16).hex(), identity.long_did, their_long, unpacked.message.id, response
        )
        envelope = pack_signed_anoncrypt(message, identity, Resolver().resolve(their_long), agent.entropy)
        agent.send(peer_id, [DATA + envelope])

    # -- the invited side ---------------------------------------------------------------------------------

    def read(self, url: str) -> tuple[Message, NodeHint, Roles]:
        """What a signed invitation says. Raises BadInvitation."""
        try:
            invitation = parse_invitation_url(url, self._agent.now)
        except DidcommError as error:
            raise BadInvitation(error.what, error.hint) from error
        body = invitation.message.body
        node, roles = body.get("node"), body.get("roles")
        if not isinstance(node, dict) or not isinstance(node.get("peer_id"), str):
            raise BadInvitation("the invitation does not say at which node the inviting pico lives")
        if not is_long_form(invitation.sender):
            raise BadInvitation("the invitation is not from a channel of a pico")
        addresses = node.get("addresses")
        texts = [one for one in addresses if isinstance(one, str)] if isinstance(addresses, list) else []
        roles = roles if isinstance(roles, dict) else {}
        hint = NodeHint(node["peer_id"], tuple(texts[: self._agent.limits.addresses_max]))
        found = Roles(str(roles.get("inviter", "")), str(roles.get("invitee", "")))
        return invitation.message, hint, found

    def accept(self, pico: Pico, url: str, name: str) -> Json:
        """Answer an invitation with a request. Inside an operation on the pico."""
        agent = self._agent
        message, node, roles = self.read(url)
        label = str(message.body.get("label") or "")
        check_names(name, label, roles.inviter, roles.invitee)
        assert message.from_ is not None, "a signed invitation has a sender"
        their_did = canonical_did(message.from_)
        for eci, row in connections_of(pico):
            if row["their_did"] == their_did:
                return self.describe(pico, eci, row)
        if their_did in pico.channels.rows:
            raise BadRequest("this invitation was made by this pico itself", "accept it on another pico")
        here = node.peer_id == agent.peer_id
        inviter = agent.neighbours.inviter(their_did, message.id) if here else None
        tags = clean_tags(tag for tag in ("connection", name or label) if tag)
        channel = agent.engine.family.new_channel(
            pico, tags, PEER_EVENTS, PEER_QUERIES, (DIDCOMM,), their_did
        )
        row = put_connection(
            pico,
            channel.eci,
            {
                "id": message.id,
                "side": INVITEE,
                "state": INITIAL[INVITEE],
                "name": name or label,
                "their_label": label,
                "their_did": their_did,
                "their_long": message.from_,
                "their_pico": None,
                "my_role": roles.invitee,
                "their_role": roles.inviter,
                "peer_id": node.peer_id,
                "epoch": EPOCH,
                "created": agent.now,
                "expires": None,
            },
        )
        if inviter is not None:
            row = agent.neighbours.connect(inviter, pico, channel.eci, row)
            return self.describe(pico, channel.eci, row)
        agent.learn_addresses(node.peer_id, node.addresses)
        agent.node.by_peer.put(f"{node.peer_id}/{channel.eci}", pico.did)
        self.add_to_outbox(pico, channel.eci, {"kind": "request"})
        return self.describe(pico, channel.eci, row)

    def receive_response(
        self,
        pico: Pico,
        lane: Lane,
        response: Response,
        number: int | None,
        unpacked: Unpacked,
        reply: Any = None,
    ) -> None:
        """The inviting side has answered; `number` is None for a refusal, which comes out of turn."""
        row = connection_of(pico, lane.eci)
        if row is None or row["side"] != INVITEE or row["state"] != REQUESTED:
            if number is None and row is not None and row["state"] == ESTABLISHED:
                self._agent.lanes.acknowledged(lane.peer_id, lane.eci, 1)  # it answers the request
            return
        self._agent.engine.receive(
            OperationMessage(
                pico.did,
                "connection response",
                lambda one: self._take_response(one, lane.eci, response, number, unpacked),
                reply=reply,
            ),
            self._agent.now,
        )

    def _take_response(
        self, pico: Pico, eci: str, response: Response, number: int | None, unpacked: Unpacked
    ) -> None:
        row = connection_of(pico, eci)
        if row is None or row["state"] != REQUESTED:
            return
        if number is not None:
            if number != numbers(pico, eci)[1] + 1:
                return
            put_received(pico, eci, number, unpacked.message.id)
            self._agent.lanes.to_acknowledge(eci)
        if not response.accepted:
            self._refused(pico, eci, response.problem or "")
            return
        if number is None:  # their first answer was taken by a later copy of ours; the request is done with
            pico.outbox.delete(outbox_key(eci, 1))
        label = response.label or row["their_label"]
        record = (unpacked.jws or b"").decode()
        state = next_state(INVITEE, row["state"], "response accepted")
        row = put_connection(pico, eci, row, state=state, their_label=label, record=record)
        self._established(pico, eci, row)

    def _refused(self, pico: Pico, eci: str, reason: str) -> None:
        row = connection_of(pico, eci)
        if row is None or row["state"] != REQUESTED:
            return
        row = put_connection(pico, eci, row, state=next_state(INVITEE, row["state"], "response refused"))
        drop_outbox(pico, eci)
        self._agent.node.unsent.delete(f"{row['peer_id']}/{eci}")
        self._agent.lanes.drop(eci)
        raise_connection(pico, "refused", row, eci, reason=reason)

    def unknown_there(self, peer_id: str, their_did: str, eci: str) -> None:
        """The other side's node says that it has no channel `their_did` (any more)."""
        agent = self._agent
        lane = agent.lanes.find(eci)
        if lane is None or (lane.peer_id, lane.their_did) != (peer_id, their_did):
            return
        row = connection_of(agent.engine.pico(lane.pico), eci)
        if row is not None and row["state"] == REQUESTED:
            reason = "the invitation was withdrawn"
            run = partial(self._refused, eci=eci, reason=reason)
            agent.engine.receive(OperationMessage(lane.pico, "connection refused", run), agent.now)
            return
        lane.unknown_there += 1
        if lane.unknown_there == UNKNOWN_MEANS_LOST:
            agent.warn(
                lane.pico,
                f"connection {eci}: node {peer_id} does not know the other side; its store may be older than "
                "it was. Events will come back as undeliverable; end this connection and make a new one",
            )

    # -- both sides ---------------------------------------------------------------------------------------

    def hint(self) -> NodeHint:
        """Where this node is."""
        return NodeHint(self._agent.peer_id, tuple(self._agent.addresses))

    def add_to_outbox(self, pico: Pico, eci: str, row: dict[str, Json]) -> int:
        """Give a message its number and keep it until it is acknowledged. In the turn at hand."""
        agent = self._agent
        sent, received = numbers(pico, eci)
        after, received_mark = marks(pico, eci)
        entry = {"id": agent.entropy(16).hex(), "after": after, "created": agent.now, **row}
        put_numbers(pico, eci, sent + 1, received, mark_of(entry["id"]), received_mark)
        pico.outbox.put(outbox_key(eci, sent + 1), freeze(entry))
        connection = connection_of(pico, eci)
        assert connection is not None, "a connection was checked to be there"
        agent.node.unsent.put(f"{connection['peer_id']}/{eci}", pico.did)
        agent.lanes.added(eci)
        return sent + 1

    def message_of(
        self, pico: Pico, lane: Lane, number: int | None, row: Mapping[str, Json]
    ) -> tuple[Message, DidDocument]:
        """The request or response behind an outbox row, and whom to encrypt it for."""
        connection = connection_of(pico, lane.eci)
        assert connection is not None, "a lane belongs to a connection"
        identity = channel_identity(pico.channels.rows[lane.eci].secret)
        their_long = connection["their_long"]
        if row["kind"] == "request":
            roles = Roles(connection["their_role"], connection["my_role"])
            request = Request(connection["id"], pico.name, roles, self.hint(), EPOCH, pico.did)
            message = make_request(row["id"], identity.long_did, their_long, request)
        else:
            response = Response(pico.name, self.hint(), EPOCH, accepted=True)
            message = make_response(row["id"], identity.long_did, their_long, row["thid"], response)
        if number is not None:
            message = replace(message, extra={SENDER_ORDER: number})
        return message, Resolver().resolve(their_long)

    def pack(self, pico: Pico, lane: Lane, number: int, row: FrozenMap) -> bytes:
        message, document = self.message_of(pico, lane, number, row)
        identity = channel_identity(pico.channels.rows[lane.eci].secret)
        return pack_signed_anoncrypt(message, identity, document, self._agent.entropy)

    def _established(self, pico: Pico, eci: str, row: FrozenMap) -> None:
        self._agent.node.by_peer.put(f"{row['peer_id']}/{eci}", pico.did)
        self._agent.lanes.drop(eci)
        self._agent.lanes.added(eci)
        self._agent.lanes.to_acknowledge(eci)
        raise_connection(pico, "established", row, eci)

    # -- showing ------------------------------------------------------------------------------------------

    def describe(self, pico: Pico, eci: str, row: FrozenMap) -> dict[str, Json]:
        """A connection as the owner sees it."""
        agent = self._agent
        sent, received = numbers(pico, eci)
        waiting = sum(1 for _ in pico.outbox.scan(eci + "/", eci + "0"))
        peer = agent.node.peers.get(row["peer_id"]) if row["peer_id"] else None
        return {
            "id": row["id"],
            "pico": pico.did,
            "pico_name": pico.name,
            "name": row["name"],
            "label": row["their_label"],
            "state": row["state"],
            "Rx": eci,
            "Tx": row["their_did"],
            "Rx_role": row["my_role"],
            "Tx_role": row["their_role"],
            "peer_id": row["peer_id"],
            "addresses": list(peer["addresses"]) if peer else [],
            "online": row["peer_id"] in agent.sessions or row["peer_id"] == agent.peer_id,
            "sent": sent,
            "received": received,
            "unacknowledged": waiting,
            "expires": row["expires"],
            "last_seen_ms": peer["seen"] if peer else None,
        }


def raise_connection(pico: Pico, kind: str, row: FrozenMap, eci: str, **more: Json) -> None:
    """Tell the pico's rulesets what became of a connection, in the turn at hand."""
    turn = pico.turn
    assert turn is not None, "connections change inside a turn"
    attrs = freeze({**connection_attrs(row, eci), **more})
    turn.raise_event(Event("connection", kind, attrs, turn.eid, turn.now))


def connection_attrs(row: FrozenMap, eci: str) -> dict[str, Json]:
    """What the events about a connection say of it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "label": row["their_label"],
        "Rx": eci,
        "Tx": row["their_did"],
        "Rx_role": row["my_role"],
        "Tx_role": row["their_role"],
    }


def check_names(*names: str) -> None:
    if any(len(name) > NAME_MAX_CHARS for name in names):
        raise BadRequest(f"names, labels and roles are text of at most {NAME_MAX_CHARS} characters")


__all__ = ["Handshake", "raise_connection"]
