"""DIDComm v2: DIDs, envelopes, messages and protocols; knows no pico and does no I/O.

Nothing here reads a clock, draws chance or opens a socket: `entropy(n)` gives n bytes, `now_ms` is the time
in milliseconds since 1970. Every failure, whatever bytes came in, is a `DidcommError` with a stable `code`,
a sentence, a `hint`, and the `problem_code` to answer with.

A pico is a key; each of its channels has a DID of its own, whose document says which pico it belongs to:

>>> from hashlib import shake_256
>>> from itertools import count
>>> numbers = count()
>>> entropy = lambda n: shake_256(b"an example, not a secret %d" % next(numbers)).digest(n)
>>> pico = make_pico_identity(entropy)
>>> alice = make_channel_identity(entropy, [locator_service(pico.did)])
>>> bob = make_channel_identity(entropy)
>>> len(alice.did), alice.long_did.startswith(alice.did + ":")
(57, True)

Alice invites whoever gets the link; it is signed, and carries her document:

>>> url = invitation_url(make_invitation("inv-1", alice.long_did, label="Alice"), alice)
>>> invitation = parse_invitation_url(url, now_ms=0)
>>> invitation.signed, canonical_did(invitation.sender) == alice.did
(True, True)

Bob answers with his long form, once; the signature makes a record that Alice can keep:

>>> resolver = Resolver()
>>> hello = Message("m-1", "https://example.org/greeting/1.0/hello", {"text": "hello"},
...                 from_=bob.long_did, to=(alice.did,))
>>> envelope = pack_signed_anoncrypt(hello, bob, resolver.resolve(invitation.sender), entropy)
>>> recipients_of(envelope) == [alice.did + "#key-2"]
True
>>> unpacked = unpack(envelope, alice, resolver, now_ms=0)
>>> unpacked.sender == bob.did, unpacked.signed, unpacked.jws is not None
(True, True, True)

From then on both go by short forms, encrypted and authenticated, on a channel for the pair:

>>> at_alice, at_bob = PairChannel(alice, bob.long_did), PairChannel(bob, alice.long_did)
>>> reply = at_alice.pack({"id": "m-2", "type": hello.type, "body": {}}, entropy)
>>> at_bob.unpack(reply, now_ms=0).sender == alice.did
True

Where to look: `did/` documents and methods, `identity` ours, `wallet` keys of any DID, `curves` and `keys`
the cryptography, `message` plaintext, `attachments` what it carries, `jws` and `jwe` the two kinds of
envelope, `pack` and `unpack` their legal combinations, `from_prior` a change of DID, `pair` the fast way
between two DIDs, `protocols/` what is said, `mediator/` messages that wait for their recipient,
`pico_engine` the forms of the existing pico-engine.
"""

from pico_didcomm.acks import acknowledges, asked_acks, pure_ack, with_acks
from pico_didcomm.attachments import (
    Attachment,
    attach_bytes,
    attach_json,
    attach_links,
    check_attachment_signature,
    sign_attachment,
)
from pico_didcomm.did.document import DidDocument, canonical_did, canonical_kid
from pico_didcomm.did.key import key_of_did_key, make_did_key, peer_id_of_did_key
from pico_didcomm.did.resolver import DidResolver, Resolver
from pico_didcomm.did.service import Endpoint, endpoints_of
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import DidcommError
from pico_didcomm.from_prior import Rotation, make_from_prior
from pico_didcomm.identity import (
    ChannelIdentity,
    PicoIdentity,
    locator_service,
    make_channel_identity,
    make_pico_identity,
    pico_identity_from_seed,
)
from pico_didcomm.keys import (
    KeyPair,
    NamedKey,
    Party,
    PublicKey,
    Secrets,
    ed25519_from_peer_id,
    generate_key_pair,
    key_pair,
    key_pair_from_jwk,
    peer_id_from_ed25519,
    sign,
    verify,
)
from pico_didcomm.media import MEDIA_TYPES
from pico_didcomm.message import Message, MessageType, same_id, split_message_type
from pico_didcomm.pack import (
    pack_anoncrypt,
    pack_anoncrypt_authcrypt,
    pack_authcrypt,
    pack_signed,
    pack_signed_anoncrypt,
)
from pico_didcomm.pair import PairChannel
from pico_didcomm.protocols import (
    basic_message,
    connection,
    coordinate_mediation,
    discover_features,
    empty,
    events,
    out_of_band,
    pickup,
    problem_report,
    routing,
    trust_ping,
    user_profile,
)
from pico_didcomm.protocols.exchange import Exchanges
from pico_didcomm.protocols.out_of_band import (
    Invitation,
    invitation_url,
    make_invitation,
    parse_invitation_url,
)
from pico_didcomm.protocols.responder import Responder
from pico_didcomm.trace import trace_report
from pico_didcomm.unpack import Unpacked, recipients_of, unpack
from pico_didcomm.wallet import Wallet

__all__ = [
    # identities and DIDs
    "ChannelIdentity",
    "PicoIdentity",
    "make_channel_identity",
    "make_pico_identity",
    "pico_identity_from_seed",
    "locator_service",
    "DidDocument",
    "DidResolver",
    "Resolver",
    "Endpoint",
    "endpoints_of",
    "canonical_did",
    "canonical_kid",
    "make_did_key",
    "key_of_did_key",
    "peer_id_of_did_key",
    # keys
    "Entropy",
    "KeyPair",
    "NamedKey",
    "PublicKey",
    "Party",
    "Secrets",
    "Wallet",
    "generate_key_pair",
    "key_pair",
    "key_pair_from_jwk",
    "sign",
    "verify",
    "peer_id_from_ed25519",
    "ed25519_from_peer_id",
    # messages and envelopes
    "Attachment",
    "Message",
    "MessageType",
    "split_message_type",
    "same_id",
    "attach_bytes",
    "attach_json",
    "attach_links",
    "sign_attachment",
    "check_attachment_signature",
    "asked_acks",
    "pure_ack",
    "with_acks",
    "acknowledges",
    "make_from_prior",
    "Rotation",
    "trace_report",
    "MEDIA_TYPES",
    "pack_signed",
    "pack_anoncrypt",
    "pack_authcrypt",
    "pack_signed_anoncrypt",
    "pack_anoncrypt_authcrypt",
    "unpack",
    "Unpacked",
    "recipients_of",
    "PairChannel",
    # protocols
    "basic_message",
    "connection",
    "coordinate_mediation",
    "discover_features",
    "empty",
    "events",
    "out_of_band",
    "pickup",
    "problem_report",
    "routing",
    "trust_ping",
    "user_profile",
    "Exchanges",
    "Responder",
    "Invitation",
    "make_invitation",
    "invitation_url",
    "parse_invitation_url",
    # errors
    "DidcommError",
]
