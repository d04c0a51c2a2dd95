"""Routing 2.0: forward messages, which a mediator opens to learn whom the envelope inside is for.

A sender wraps from the inside out: once for each routing key of the recipient's endpoint, last key first,
then once more when the endpoint is itself a DID, that of a mediator. What travels is the outermost envelope,
to the place that the outermost mediator's own document names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pico_didcomm.did.document import DidDocument, canonical_did, check_did, did_of
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.did.service import Endpoint, endpoints_of
from pico_didcomm.encoding import Entropy, b64url_encode
from pico_didcomm.errors import BadDid, BadEncoding, BadMessage, DidError, LimitExceeded, NoRoute
from pico_didcomm.message import Attachment, Message
from pico_didcomm.pack import pack_anoncrypt
from pico_didcomm.protocols.fields import check_type, text
from pico_didcomm.protocols.tables import Table
from pico_didcomm.unpack import recipients_of

PROTOCOL: Final = "https://didcomm.org/routing/2.0"
FORWARD_TYPE: Final = f"{PROTOCOL}/forward"
DELAY_MILLI: Final = "delay_milli"
ENCRYPTED_TYPE: Final = "application/didcomm-encrypted+json"

HOPS_MAX: Final = 8
"""Layers around one message; each makes it a third longer."""

PAYLOADS_MAX: Final = 8
"""Envelopes in one forward message: senders put in one."""

NEXT_CHARS_MAX: Final = 8_192
"""Of a DID, or a DID URL, which may be a long form."""

DELAY_MS_MAX: Final = 24 * 3_600_000
"""The longest delay that is read; whether to wait is the mediator's choice."""

TABLES: Final[tuple[Table, ...]] = (
    Table(PROTOCOL, "sender", "ready", {"ready": {"send forward": "ready"}}),
    Table(
        PROTOCOL,
        "mediator",
        "ready",
        {
            "ready": {"receive forward": "holding"},
            "holding": {"deliver": "ready", "queue": "ready", "expire": "ready", "refuse": "ready"},
        },
    ),
    Table(PROTOCOL, "recipient", "ready", {"ready": {"receive the payload": "ready"}}),
)


@dataclass(frozen=True, slots=True)
class Forward:
    """A forward message: envelopes for `next`. `delay_ms` below zero: a random delay up to as much."""

    next: str
    payloads: tuple[bytes, ...]
    expires_time: int | None = None
    delay_ms: int = 0


def make_forward(message_id: str, to_did: str, forward: Forward) -> Message:
    """The message that carries envelopes; it has no sender, and asks for no acknowledgement."""
    return Message(
        message_id,
        FORWARD_TYPE,
        {"next": forward.next},
        to=(to_did,),
        expires_time=forward.expires_time,
        attachments=tuple(
            Attachment({"base64": b64url_encode(payload)}, media_type=ENCRYPTED_TYPE)
            for payload in forward.payloads
        ),
        extra={DELAY_MILLI: forward.delay_ms} if forward.delay_ms else {},
    )


def parse_forward(message: Message) -> Forward:
    """Reads a forward message. Its payloads are envelopes, in base64 or as JSON; links are not followed."""
    check_type(message, FORWARD_TYPE)
    if not message.attachments:
        raise BadMessage("a forward message with nothing to forward")
    if len(message.attachments) > PAYLOADS_MAX:
        raise LimitExceeded(f"more than {PAYLOADS_MAX} envelopes in one forward message")
    delay = message.extra.get(DELAY_MILLI, 0)
    if type(delay) is not int or abs(delay) > DELAY_MS_MAX:
        raise BadMessage(f"{DELAY_MILLI} is not a number of milliseconds up to a day")
    next_ = text(message.body, "next", NEXT_CHARS_MAX)
    try:
        check_did(did_of(next_))
    except BadDid as error:
        raise BadMessage(f"next: {error}") from error
    payloads = tuple(_payload(attachment) for attachment in message.attachments)
    return Forward(next_, payloads, message.expires_time, delay)


def _payload(attachment: Attachment) -> bytes:
    try:
        payload = attachment.content()
    except BadEncoding as error:
        raise BadMessage(f"the envelope in a forward message: {error}") from error
    if not recipients_of(payload):
        raise BadMessage("a forward message whose payload is not encrypted")
    return payload


# -- the sender's side ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """How an envelope gets to a DID: wrapped for each of `hops`, outermost first, then sent to `endpoint`.

    A hop is a DID (all its agreement keys) or a DID URL (one key).
    """

    endpoint: Endpoint
    hops: tuple[str, ...] = ()


def routes_to(document: DidDocument, resolver: DidResolver) -> list[Route]:
    """Every way to reach the subject of `document`, in its order of preference.

    Endpoints for other versions of DIDComm only are left out, and so are mediators whose DIDs cannot be
    resolved; when nothing is left, NoRoute.
    """
    routes: list[Route] = []
    for endpoint in endpoints_of(document):
        if not endpoint.takes_v2:
            continue
        if endpoint.scheme != "did":
            routes.append(Route(endpoint, endpoint.routing_keys))
            continue
        try:
            mediator = resolver.resolve(endpoint.uri)
            theirs = endpoints_of(mediator)
        except DidError:
            continue
        # A mediator's own document must not name a mediator again: that could go on for ever.
        routes += [
            Route(outer, (*outer.routing_keys, endpoint.uri, *endpoint.routing_keys))
            for outer in theirs
            if outer.takes_v2 and outer.scheme != "did"
        ]
    if not routes:
        raise NoRoute(f"{canonical_did(document.did)[:80]} names no endpoint that can be used")
    return routes


def wrap(
    envelope: bytes,
    for_did: str,
    hops: Sequence[str],
    resolver: DidResolver,
    entropy: Entropy,
    new_id: Callable[[], str],
    *,
    expires_time: int | None = None,
) -> bytes:
    """`envelope`, which is for `for_did`, in one forward message for each hop, the first hop's outermost."""
    if len(hops) > HOPS_MAX:
        raise LimitExceeded(f"a route of {len(hops)} mediators; at most {HOPS_MAX} are used")
    next_ = canonical_did(for_did)
    for hop in reversed(hops):
        document = _document_of_hop(hop, resolver)
        forward = make_forward(new_id(), document.did, Forward(next_, (envelope,), expires_time))
        envelope = pack_anoncrypt(forward, document, entropy)
        next_ = hop
    return envelope


def rewrap(
    forward: Forward, document: DidDocument, entropy: Entropy, new_id: Callable[[], str]
) -> tuple[bytes, ...]:
    """The payloads as a mediator that rewraps passes them on: each in a fresh forward for the recipient."""
    return tuple(
        pack_anoncrypt(
            make_forward(new_id(), document.did, replace(forward, payloads=(payload,), delay_ms=0)),
            document,
            entropy,
        )
        for payload in forward.payloads
    )


def _document_of_hop(hop: str, resolver: DidResolver) -> DidDocument:
    """The hop's document, with only the key that the hop names, if it names one."""
    did, mark, fragment = hop.partition("#")
    document = resolver.resolve(did)
    if not mark:
        return document
    key = document.agreement_key(hop)
    named: dict[str, Any] = {"keys": {fragment: key}, "key_agreement": (fragment,)}
    return replace(document, **named)
