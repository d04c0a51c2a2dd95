"""Connections with agents of other makes: invitations for them, and theirs accepted.

Whoever accepts such an invitation makes a DID of the kind that the other side has, and knocks: it sends a
trust ping in the invitation's thread, again with growing pauses, until anything comes back from the DID of
the invitation, or from one to which that DID proves to have changed. That establishes the connection; from
then on it is one as in `foreign`. What the pico sends before waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pico_didcomm import DidcommError, Resolver, Unpacked, canonical_did
from pico_didcomm.did.peer4 import PEER_4
from pico_didcomm.did.service import PROFILE, SERVICE_TYPE
from pico_didcomm.errors import NotFetched, SenderMismatch
from pico_didcomm.pico_engine import (
    is_pico_engine_did,
    make_pico_engine_invitation,
    pico_engine_invitation_url,
)
from pico_didcomm.protocols.connection import INITIAL, next_state
from pico_didcomm.protocols.out_of_band import (
    Invitation,
    invitation_url,
    make_invitation,
    parse_invitation_url,
)
from pico_didcomm.protocols.problem_report import PROBLEM_REPORT_TYPE
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.trust_ping import make_ping
from pico_engine.channels import DIDCOMM, clean_tags
from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.messages import OperationMessage
from pico_engine.values import FrozenMap, Json
from pico_node.agent.errors import BadInvitation
from pico_node.agent.foreign import ForeignEvent
from pico_node.agent.foreign_post import UNSENT, Origin, long_did
from pico_node.agent.handshake import EPOCH, check_names, raise_connection
from pico_node.agent.identities import Form, keys_of, new_identity
from pico_node.agent.rows import (
    INVITED,
    INVITEE,
    INVITER,
    REQUESTED,
    connection_of,
    connection_to,
    connections_of,
    drop_outbox,
    put_connection,
)
from pico_rulesets.policies import PEER_EVENTS, PEER_QUERIES

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

KNOCKS_MAX: Final = 8
"""Pings to somebody who does not answer, over about four minutes; the node's next start begins anew."""

AUDIENCES: Final = ("picomesh", "didcomm", "pico-engine")
"""Whom an invitation is for: picomesh nodes, any DIDComm agent, the existing engine."""

_FORMS: Final[dict[str, Form]] = {"didcomm": "peer2", "pico-engine": "pico-engine"}


@dataclass(slots=True)
class _Knock:
    at_ms: int
    pause_ms: int
    count: int


class Visits:
    """Makes connections with agents of other makes."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._knocks: dict[str, _Knock] = {}

    # -- where this node is -------------------------------------------------------------------------------

    def services(self) -> list[dict[str, Any]]:
        """The services of DIDs for agents of other makes. Raises Busy while a mediator has not answered."""
        agent = self._agent
        if agent.mediated.wanted:
            return [agent.mediated.service()]
        found: list[dict[str, Any]] = []
        if agent.url:
            found.append({"uri": f"{agent.url}/didcomm", "accept": [PROFILE]})
        if agent.addresses:
            where = {"uri": f"libp2p-peerId:{agent.peer_id}", "multiAddrs": list(agent.addresses)}
            found.append({**where, "accept": [PROFILE]})
        return [{"type": SERVICE_TYPE, "serviceEndpoint": one} for one in found]

    def _new_identity(self, form: Form) -> tuple[str, Json]:
        if form == "pico-engine":
            if not self._agent.url:
                raise BadRequest("this node has no URL to which an existing engine could post")
            return new_identity(self._agent.entropy, form, (), f"{self._agent.url}/didcomm")
        return new_identity(self._agent.entropy, form, self.services(), "")

    # -- our invitations ----------------------------------------------------------------------------------

    def invite(self, pico: Pico, name: str, label: str, expires_ms: int, audience: str) -> Json:
        """Make a channel and an invitation to connect to it, for those who know nothing of picomesh."""
        agent = self._agent
        form = _FORMS.get(audience)
        if form is None:
            raise BadRequest(f"an invitation is for {' or '.join(AUDIENCES)}, not {audience!r}")
        check_names(name, label)
        if not 0 < expires_ms - agent.now <= agent.limits.invitation_max_age_ms:
            raise BadRequest("an invitation expires in the future, at most a year from now")
        if sum(row["state"] == INVITED for _, row in connections_of(pico)) >= agent.limits.invitations_max:
            raise LimitExceeded(f"pico {pico.did} has invitations_max open invitations")
        did, secret = self._new_identity(form)
        self._new_channel(pico, name, (did, secret), None)
        invitation_id = agent.entropy(16).hex()
        row = _row(invitation_id, INVITER, name, agent.now, expires=expires_ms)
        put_connection(pico, did, row)
        seconds, shown = agent.now // 1000, label or pico.name
        if form == "pico-engine":
            message = make_pico_engine_invitation(invitation_id, did, shown, created_time=seconds)
            url = pico_engine_invitation_url(message, agent.url)
        else:
            message = make_invitation(
                invitation_id,
                did,
                label=shown,
                goal_code="connect",
                created_time=seconds,
                expires_time=expires_ms // 1000,
            )
            url = invitation_url(message, keys_of(pico.channels.rows[did].secret))
        return {"id": invitation_id, "url": url, "pico": pico.did, "eci": did, "expires": expires_ms}

    def _new_channel(self, pico: Pico, name: str, identity: tuple[str, Json], peer: str | None) -> None:
        tags = clean_tags(tag for tag in ("connection", name) if tag)
        self._agent.engine.family.new_channel(
            pico, tags, PEER_EVENTS, PEER_QUERIES, (DIDCOMM,), peer, identity
        )
        self._agent.mediated.add(identity[0])

    # -- their invitations --------------------------------------------------------------------------------

    def read(self, url: str) -> Invitation | None:
        """The invitation of an agent of another make, to which there is a way; None for one of ours.

        Raises BadInvitation; NotFetched where its DID's document has to be fetched first.
        """
        resolver = self._agent.documents.beside(Resolver())
        try:
            found = parse_invitation_url(url, self._agent.now, require_signature=False, resolver=resolver)
            if "node" in found.message.body:
                return None
            if not found.takes_v2:
                raise BadInvitation("the inviting agent does not take DIDComm v2")
            document = resolver.resolve(found.sender)
            self._agent.foreign_post.ways_to(document, resolver)
        except NotFetched:
            raise
        except DidcommError as error:
            raise BadInvitation(error.what, error.hint) from error
        return found

    def accept(self, pico: Pico, invitation: Invitation, name: str) -> Json:
        """Begin to knock at the inviting agent's door. Inside an operation on the pico."""
        agent, message = self._agent, invitation.message
        label = invitation.label or ""
        check_names(name, label)
        their_did = canonical_did(invitation.sender)
        known = connection_to(pico, their_did)
        if known is not None:
            row = connection_of(pico, known)
            assert row is not None, "it was just found"
            return agent.handshake.describe(pico, known, row)
        if their_did in pico.channels.rows:
            raise BadRequest("this invitation was made by this pico itself", "accept it on another pico")
        form: Form = "peer4" if their_did.startswith(PEER_4) else "peer2"
        if is_pico_engine_did(their_did):
            form = "pico-engine"
        identity = self._new_identity(form)
        self._new_channel(pico, name or label, identity, their_did)
        row = put_connection(
            pico,
            identity[0],
            _row(message.id, INVITEE, name or label, agent.now),
            their_label=label,
            their_did=their_did,
            their_long=invitation.sender,
            foreign=True,
        )
        agent.node.unsent.put(UNSENT + identity[0], pico.did)
        agent.foreign_post.to_send[identity[0]] = None
        return agent.handshake.describe(pico, identity[0], row)

    def knock(self, pico: Pico, eci: str) -> None:
        """Send the ping, if it is time for it; afterwards the timer says when it is time again."""
        agent, now = self._agent, self._agent.now
        row, limits = connection_of(pico, eci), agent.limits
        knock = self._knocks.setdefault(eci, _Knock(now, limits.retry_first_ms, 0))
        if row is None or knock.at_ms > now or knock.count >= KNOCKS_MAX:
            return
        knock.count += 1
        knock.at_ms, knock.pause_ms = now + knock.pause_ms, min(2 * knock.pause_ms, limits.retry_max_ms)
        old = is_pico_engine_did(row["their_did"])
        # With the same id again, a ping whose answer was lost would be passed over as a repeated one.
        ping = make_ping(agent.foreign_post.new_id(), long_did(pico, eci), row["their_did"], old_spelling=old)
        ping = replace(ping, pthid=row["id"], extra={} if old else ALL.headers())
        agent.foreign_post.send(pico, eci, ping, None, Origin(""))

    def next_timer(self) -> int | None:
        """When somebody is to be pinged again."""
        return min((one.at_ms for one in self._knocks.values() if one.count < KNOCKS_MAX), default=None)

    def handle_timer(self, now: int) -> None:
        """Ping again."""
        for eci, knock in list(self._knocks.items()):
            if knock.at_ms > now or knock.count >= KNOCKS_MAX:
                continue
            pico = self._agent.engine.loaded_or_stored(self._agent.engine.index.get(eci))
            row = connection_of(pico, eci) if pico is not None else None
            if pico is None or row is None or row["state"] != REQUESTED:
                del self._knocks[eci]
            elif pico.turn is None:
                self.knock(pico, eci)
            else:
                knock.at_ms = now + knock.pause_ms

    def opened(self, pico: Pico, eci: str, row: FrozenMap, unpacked: Unpacked, origin: Origin) -> bool:
        """A message while we knock: from the DID that invited us, or the one that it has changed to."""
        rotation, sender = unpacked.rotation, unpacked.sender
        changed = rotation is not None and rotation.new is not None and rotation.prior == row["their_did"]
        if sender != row["their_did"] and not changed:
            raise SenderMismatch("a message on this connection that is not from the inviting side")
        refused = unpacked.message.type == PROBLEM_REPORT_TYPE
        happening = "response refused" if refused else "response accepted"

        def open_(one: Pico) -> None:
            found = connection_of(one, eci)
            if found is None or found["state"] != REQUESTED:
                return
            found = put_connection(one, eci, found, state=next_state(INVITEE, REQUESTED, happening))
            self._agent.foreign_post.to_send[eci] = None
            if refused:
                drop_outbox(one, eci)
                raise_connection(one, "refused", found, eci, reason="the other side reports a problem")
                return
            record = (unpacked.jws or b"").decode()
            long_form = unpacked.message.from_ if sender != row["their_did"] else row["their_long"]
            found = put_connection(one, eci, found, their_did=sender, their_long=long_form, record=record)
            one.channels.put(eci, one.channels.rows[eci].changed(peer=sender))
            raise_connection(one, "established", found, eci)

        reply = ForeignEvent(eci, unpacked, origin)
        message = OperationMessage(pico.did, "connection response", open_, reply=reply)
        self._agent.engine.receive(message, self._agent.now)
        return True


def _row(id_: str, side: Any, name: str, now: int, expires: int | None = None) -> dict[str, Json]:
    """A new connection with an agent of another make."""
    return {
        "id": id_,
        "side": side,
        "state": INITIAL[side],
        "name": name,
        "their_label": "",
        "their_did": "",
        "their_long": "",
        "their_pico": None,
        "my_role": "",
        "their_role": "",
        "peer_id": "",
        "epoch": EPOCH,
        "created": now,
        "expires": expires,
    }


__all__ = ["AUDIENCES", "Visits"]
