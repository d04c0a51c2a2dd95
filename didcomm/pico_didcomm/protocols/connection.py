"""Making and ending a connection: the request that answers an invitation, the response, the end.

Request and response are signed inside an anoncrypt, so that each side keeps a record of the relationship
that it can show to others. Both sides are tables: what each may receive or do in each state. Messages
arrive more than once; a repeated one leaves the state as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pico_didcomm.did.key import key_of_did_key
from pico_didcomm.errors import NotSigned, SenderMismatch, UnexpectedMessage
from pico_didcomm.keys import ed25519_from_peer_id
from pico_didcomm.message import ID_CHARS_MAX, Message
from pico_didcomm.protocols.fields import (
    boolean,
    check_type,
    integer,
    mapping,
    optional_text,
    text,
    texts,
)
from pico_didcomm.unpack import Unpacked

REQUEST_TYPE: Final = "urn:picomesh:connection/1.0/request"
RESPONSE_TYPE: Final = "urn:picomesh:connection/1.0/response"
END_TYPE: Final = "urn:picomesh:connection/1.0/end"

LABEL_CHARS_MAX: Final = 256
"""Of labels and role names: they are shown in lists."""

REASON_CHARS_MAX: Final = 4096
ADDRESSES_MAX: Final = 16
"""Addresses of one node: interfaces times transports, with room for relays."""

ADDRESS_CHARS_MAX: Final = 512
"""Of one multiaddress; a relayed one with two peer ids has about 200."""

DID_KEY_CHARS_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class NodeHint:
    """Where a side's node was when it wrote: a hint, the home record decides."""

    peer_id: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roles:
    """What each side is to the other, in the words of the invitation."""

    inviter: str = ""
    invitee: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The invitee's answer to an invitation. `pico` is the did:key of its pico, if that may be known."""

    invitation: str
    label: str
    roles: Roles
    node: NodeHint
    epoch: int
    pico: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The inviter's answer to a request. `problem` says why it was not accepted."""

    label: str
    node: NodeHint
    epoch: int
    accepted: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One side has ended the connection."""

    reason: str = ""


# -- messages -------------------------------------------------------------------------------------


def make_request(
    message_id: str, from_did: str, to_did: str, request: Request, *, created_time: int | None = None
) -> Message:
    """The message that carries a request; `from_did` is a long form. Pack it with `pack_signed_anoncrypt`."""
    body: dict[str, Any] = {
        "invitation": request.invitation,
        "label": request.label,
        "roles": {"inviter": request.roles.inviter, "invitee": request.roles.invitee},
        "node": _node_body(request.node),
        "epoch": request.epoch,
    }
    if request.pico is not None:
        body["pico"] = request.pico
    return Message(
        message_id,
        REQUEST_TYPE,
        body,
        from_=from_did,
        to=(to_did,),
        pthid=request.invitation,
        created_time=created_time,
    )


def parse_request(unpacked: Unpacked) -> Request:
    """Reads a request that arrived signed and encrypted."""
    body = _signed_body(unpacked, REQUEST_TYPE)
    roles = mapping(body, "roles")
    pico = optional_text(body, "pico", DID_KEY_CHARS_MAX)
    if pico is not None:
        key_of_did_key(pico)
    return Request(
        text(body, "invitation", ID_CHARS_MAX),
        text(body, "label", LABEL_CHARS_MAX, empty=True),
        Roles(
            text(roles, "inviter", LABEL_CHARS_MAX, empty=True),
            text(roles, "invitee", LABEL_CHARS_MAX, empty=True),
        ),
        _read_node(body),
        integer(body, "epoch"),
        pico,
    )


def make_response(
    message_id: str,
    from_did: str,
    to_did: str,
    request_id: str,
    response: Response,
    *,
    created_time: int | None = None,
) -> Message:
    """The message that carries a response to request `request_id`. Pack it with `pack_signed_anoncrypt`."""
    body: dict[str, Any] = {
        "label": response.label,
        "node": _node_body(response.node),
        "epoch": response.epoch,
        "accepted": response.accepted,
    }
    if response.problem is not None:
        body["problem"] = response.problem
    return Message(
        message_id,
        RESPONSE_TYPE,
        body,
        from_=from_did,
        to=(to_did,),
        thid=request_id,
        created_time=created_time,
    )


def parse_response(unpacked: Unpacked) -> Response:
    """Reads a response that arrived signed and encrypted; `message.thid` names the request."""
    body = _signed_body(unpacked, RESPONSE_TYPE)
    return Response(
        text(body, "label", LABEL_CHARS_MAX, empty=True),
        _read_node(body),
        integer(body, "epoch"),
        boolean(body, "accepted"),
        optional_text(body, "problem", REASON_CHARS_MAX),
    )


def make_end(message_id: str, from_did: str, to_did: str, end: End) -> Message:
    """The message that ends a connection; authcrypt is enough for it."""
    return Message(message_id, END_TYPE, {"reason": end.reason}, from_=from_did, to=(to_did,))


def parse_end(unpacked: Unpacked) -> End:
    """Reads an end, which must prove its sender."""
    check_type(unpacked.message, END_TYPE)
    if not (unpacked.encrypted and unpacked.authenticated):
        raise SenderMismatch("the end of a connection that does not prove its sender")
    return End(optional_text(unpacked.message.body, "reason", REASON_CHARS_MAX) or "")


def _signed_body(unpacked: Unpacked, type_: str) -> Mapping[str, Any]:
    check_type(unpacked.message, type_)
    if not (unpacked.signed and unpacked.encrypted):
        raise NotSigned(
            "a connection's request or response that is not signed and encrypted",
            "both sides must sign what makes the connection",
        )
    return unpacked.message.body


def _node_body(node: NodeHint) -> dict[str, Any]:
    return {"peer_id": node.peer_id, "addresses": list(node.addresses)}


def _read_node(body: Mapping[str, Any]) -> NodeHint:
    node = mapping(body, "node")
    peer_id = text(node, "peer_id", 128)
    ed25519_from_peer_id(peer_id)
    return NodeHint(peer_id, texts(node, "addresses", ADDRESSES_MAX, ADDRESS_CHARS_MAX))


# -- states ---------------------------------------------------------------------------------------

Role = Literal["inviter", "invitee"]

TRANSITIONS: Final[Mapping[Role, Mapping[str, Mapping[str, str]]]] = {
    "inviter": {
        "invited": {
            "request accepted": "established",
            "request refused": "invited",
            "cancel": "cancelled",
            "end": "ended",
        },
        "established": {
            "request accepted": "established",
            "request refused": "established",
            "end": "ended",
        },
        "cancelled": {"request refused": "cancelled", "cancel": "cancelled", "end": "cancelled"},
        "ended": {"request refused": "ended", "cancel": "ended", "end": "ended"},
    },
    "invitee": {
        "requested": {
            "response accepted": "established",
            "response refused": "refused",
            "end": "ended",
        },
        "established": {"response accepted": "established", "end": "ended"},
        "refused": {"response refused": "refused", "end": "refused"},
        "ended": {"response accepted": "ended", "response refused": "ended", "end": "ended"},
    },
}
"""Side -> state -> what happens -> next state.

`request accepted` and `request refused` are a request together with the inviter's decision: somebody else
who comes with a used invitation is refused, which changes nothing. `end` is sent or received; `cancel`
withdraws an invitation, and is what expiry does. What has no row is an UnexpectedMessage.
"""

INITIAL: Final[Mapping[Role, str]] = {"inviter": "invited", "invitee": "requested"}


def next_state(role: Role, state: str, happening: str) -> str:
    """The state after `happening`; UnexpectedMessage when the table has no row for it."""
    following = TRANSITIONS[role][state].get(happening)
    if following is None:
        raise UnexpectedMessage(f"'{happening}' while the connection is {state}")
    return following


def table_text() -> str:
    """The tables in Markdown, for the documentation."""
    parts = []
    for role, states in TRANSITIONS.items():
        happenings = list(dict.fromkeys(name for row in states.values() for name in row))
        lines = [f"| {role} | " + " | ".join(happenings) + " |", "|---" * (len(happenings) + 1) + "|"]
        for state, row in states.items():
            cells = (row.get(name, "unexpected") for name in happenings)
            lines.append(f"| **{state}** | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
