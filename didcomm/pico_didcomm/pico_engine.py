"""The DIDComm of the existing pico-engine (ruleset io.picolabs.did-o), read and written as it does.

It knows did:peer:2 in the form before August 2023 only, names its keys by their whole text, writes
invitations in standard base64 with padding, spells trust ping its own way, and posts messages as JSON to the
URL in a DID. It reads authcrypt with or without a signature inside, and answers a query in the clear, in the
answer to the HTTP request. Events and queries are those of `protocols.events`.

Its DIDs contain a URL with the ECI of a channel: a pico that talks to it cannot move without a new DID.
"""

from __future__ import annotations

import binascii
from typing import Any, Final

from pico_didcomm.did.peer import PEER_2, make_peer_2, resolve_peer_2
from pico_didcomm.did.resolver import PICO_ENGINE_METHODS, Resolver
from pico_didcomm.did.service import endpoints_of
from pico_didcomm.encoding import Entropy, json_bytes, strict_json_object
from pico_didcomm.errors import BadMessage, DidError, LimitExceeded
from pico_didcomm.keys import generate_key_pair
from pico_didcomm.message import Message
from pico_didcomm.protocols.out_of_band import INVITATION_URL_CHARS_MAX, make_invitation
from pico_didcomm.wallet import Wallet

ACCEPT: Final = ("didcomm/v2", "didcomm/aip2;env=rfc587")
"""What it writes into the service of a DID."""

CONTENT_TYPE: Final = "application/json"
"""What it posts, and the only thing it takes: it refuses DIDComm's media types."""

ENDPOINT_PATH: Final = "/sky/event/{eci}/none/dido/didcommv2_message"
"""Where its DIDs point to, below the engine's URL."""

_ENDPOINT_END: Final = ENDPOINT_PATH.partition("{eci}")[2]

ANSWER_BYTES_MAX: Final = 1_048_576
"""Of the answer to a query."""


def make_identity(entropy: Entropy, endpoint: str) -> tuple[str, Wallet]:
    """A DID in its form with the keys to it; `endpoint` is the URL that it is to post messages to."""
    agreement = generate_key_pair("X25519", entropy)
    signing = generate_key_pair("Ed25519", entropy)
    service = {
        "type": "DIDCommMessaging",
        "serviceEndpoint": {"uri": endpoint, "accept": list(ACCEPT)},
    }
    keys = [("E", agreement.public_key), ("V", signing.public_key)]
    did = make_peer_2(keys, [service], legacy_service=True)
    wallet = Wallet()
    wallet.add(resolve_peer_2(did, key_ids="whole"), [agreement, signing])
    return did, wallet


def is_pico_engine_did(did: str) -> bool:
    """Whether a DID is one of the existing engine's: it posts to a channel of a pico's did-o ruleset."""
    if not did.startswith(PEER_2):
        return False
    try:
        endpoints = endpoints_of(resolve_peer_2(did, key_ids="whole"))
    except DidError:
        return False
    return any(_ENDPOINT_END in one.uri for one in endpoints)


def new_resolver() -> Resolver:
    """A resolver that names the keys of its DIDs as it does: envelopes for it must."""
    return Resolver(PICO_ENGINE_METHODS)


def make_pico_engine_invitation(
    message_id: str, from_did: str, label: str, *, created_time: int | None = None
) -> Message:
    """An invitation with the goal that it gives its own."""
    return make_invitation(
        message_id,
        from_did,
        label=label,
        goal_code="exchange-did",
        goal="ExchangeDid",
        created_time=created_time,
    )


def pico_engine_invitation_url(invitation: Message, engine_url: str) -> str:
    """Its URL of an invitation: standard base64 with padding, unescaped. Read it with
    `parse_invitation_url(…, require_signature=False)`."""
    raw = json_bytes(invitation.to_dict())
    url = f"{engine_url}/invite?_oob={binascii.b2a_base64(raw, newline=False).decode()}"
    if len(url) > INVITATION_URL_CHARS_MAX:
        raise LimitExceeded(f"an invitation URL longer than {INVITATION_URL_CHARS_MAX} characters")
    return url


def query_result(body: bytes) -> Any:
    """The result in the HTTP answer to a query: the options of the first directive.

    It comes in the clear, proven by nothing but TLS. BadMessage where there is none.
    """
    if len(body) > ANSWER_BYTES_MAX:
        raise LimitExceeded(f"an answer of {len(body)} bytes; at most {ANSWER_BYTES_MAX} are read")
    directives = strict_json_object(body, "the answer to a query").get("directives")
    first = directives[0] if isinstance(directives, list) and directives else None
    if not isinstance(first, dict) or "options" not in first:
        raise BadMessage("an answer to a query without a result", "the other side has refused the query")
    return first["options"]


def clear_answer(result: Any) -> bytes:
    """The HTTP answer to its query, as `query_result` reads it: in the clear, which is all that it reads."""
    directive = {"type": "directive", "name": "response", "options": result, "meta": {}}
    return json_bytes({"directives": [directive]})


def is_clear_answer(body: bytes) -> bool:
    """Whether `clear_answer` made it; no envelope looks so."""
    return body.startswith(b'{"directives":')


__all__ = [
    "CONTENT_TYPE",
    "ENDPOINT_PATH",
    "clear_answer",
    "is_clear_answer",
    "is_pico_engine_did",
    "make_identity",
    "make_pico_engine_invitation",
    "new_resolver",
    "pico_engine_invitation_url",
    "query_result",
]
