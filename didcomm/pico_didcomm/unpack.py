"""Opens envelopes, and lets nothing through that the envelope does not prove.

An envelope is opened layer by layer; `LAYERS` is the machine of the combinations that are legal. A message
is believed only when its `from`, the sender key of an authcrypt and the signer of a signature name one
DID, and when its `to` names the recipient whose key opened it. A change of DID (`from_prior`) is believed
only inside encryption, and when the prior DID signed it for this `from`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from pico_didcomm.did.document import canonical_did, canonical_kid, did_of, owner_of
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.encoding import strict_json_object
from pico_didcomm.errors import (
    BadEnvelope,
    BadJson,
    BadRotation,
    Expired,
    LimitExceeded,
    NoKeyForRecipient,
    RecipientMismatch,
    SenderMismatch,
)
from pico_didcomm.from_prior import Rotation, check_from_prior, read_from_prior
from pico_didcomm.jwe import AUTHCRYPT, Jwe, is_jwe, open_jwe, parse_jwe, recipient_rows
from pico_didcomm.jws import Jws, is_jws, parse_jws
from pico_didcomm.keys import KeyPair, Secrets
from pico_didcomm.media import Form, check_media_type
from pico_didcomm.message import Message, did_of_url

ENVELOPE_BYTES_MAX: Final = 1024 * 1024
"""The `max_receive_bytes` of DIDComm: a message and its base64 text are held in memory several times."""

LAYERS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {"plain": "plain", "signed": "signed", "anoncrypt": "anoncrypt", "authcrypt": "authcrypt"},
    "signed": {"plain": "plain"},
    "anoncrypt": {"plain": "plain", "signed": "signed", "authcrypt": "hidden authcrypt"},
    "authcrypt": {"plain": "plain", "signed": "signed"},
    "hidden authcrypt": {"plain": "plain"},
}
"""What has been opened -> kind of the next layer -> what has been opened then (DIDComm v2.1, 5.4).

authcrypt(signed) may be read, not written; the others may be both.
"""


class Unpacked(NamedTuple):
    """A message and what its envelope proves about it.

    `sender` is the proven DID in canonical form (short for did:peer:4), None when nothing is proven;
    a `from` in a message that is not `authenticated` is a claim. `jws` is the signed message as it was
    received, to be kept as a record. `rotation` is a proven change of DID: whoever has a relationship with
    `rotation.prior` goes on with `rotation.new`, or ends it.
    """

    message: Message
    sender: str | None = None
    encrypted: bool = False
    authenticated: bool = False
    non_repudiable: bool = False
    anonymous_sender: bool = False
    signed_by: str | None = None
    sender_kid: str | None = None
    recipient_kid: str | None = None
    jws: bytes | None = None
    rotation: Rotation | None = None

    @property
    def signed(self) -> bool:
        """Whether the sender can be proven to others."""
        return self.non_repudiable


def check_size(data: bytes, bytes_max: int = ENVELOPE_BYTES_MAX) -> None:
    """Refuses what is too long to be parsed."""
    if len(data) > bytes_max:
        raise LimitExceeded(f"an envelope of {len(data)} bytes; at most {bytes_max} are read")


def recipients_of(data: bytes) -> list[str]:
    """The recipients' key ids of an encrypted message (canonical), [] for others; nothing is decrypted."""
    check_size(data)
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadJson("an envelope is not a JSON object")
    return [canonical_kid(kid) for kid, _ in recipient_rows(raw)] if is_jwe(raw) else []


def unpack(
    data: bytes,
    secrets: Secrets,
    resolver: DidResolver,
    now_ms: int,
    *,
    media_type: str | None = None,
    envelope_bytes_max: int = ENVELOPE_BYTES_MAX,
) -> Unpacked:
    """Opens an envelope or a plaintext message. Every failure, for any bytes, is a DidcommError.

    `media_type` is what the transport said of the bytes; when it is given, it must be right.
    """
    check_size(data, envelope_bytes_max)
    opening = _Opening(secrets, resolver)
    opened = ""
    while True:
        raw = strict_json_object(data, "an envelope")
        jwe = None
        if is_jwe(raw):
            jwe = parse_jwe(raw)
            kind = "authcrypt" if jwe.algorithm == AUTHCRYPT else "anoncrypt"
        else:
            kind = "signed" if is_jws(raw) else "plain"
        if media_type is not None and opened == "":
            check_media_type(media_type, _FORMS[kind])
        inside = LAYERS[opened].get(kind)
        if inside is None:
            raise BadEnvelope(f"{kind} inside {opened} is not a legal combination")
        if kind == "plain":
            return opening.finish(Message.from_dict(raw), now_ms)
        opened = inside
        if jwe is not None:
            data = opening.decrypt(jwe)
        else:
            opening.signed, opening.jws = data, parse_jws(raw)
            data = opening.jws.payload_bytes


_FORMS: Final[Mapping[str, Form]] = {
    "plain": "plain",
    "signed": "signed",
    "anoncrypt": "encrypted",
    "authcrypt": "encrypted",
}


class _Opening:
    """What is known while an envelope is opened layer by layer."""

    jws: Jws | None = None
    signed: bytes | None = None
    sender_kid: str | None = None
    anonymous = False

    def __init__(self, secrets: Secrets, resolver: DidResolver) -> None:
        self.secrets = secrets
        self.resolver = resolver
        self.recipient_kids: list[str] = []

    def decrypt(self, jwe: Jwe) -> bytes:
        kid, encrypted_key, pair = self._own_recipient(jwe)
        sender = None
        if jwe.sender_kid is None:
            self.anonymous = True
        else:
            self.sender_kid = jwe.sender_kid
            sender = self.resolver.resolve(did_of(jwe.sender_kid)).agreement_key(jwe.sender_kid)
        plaintext = open_jwe(jwe, encrypted_key, pair, sender)
        self.recipient_kids.append(canonical_kid(kid))
        return plaintext

    def _own_recipient(self, jwe: Jwe) -> tuple[str, str, KeyPair]:
        for kid, encrypted_key in jwe.recipients:
            pair = self.secrets.find(canonical_kid(kid))
            if pair is not None:
                return kid, encrypted_key, pair
        raise NoKeyForRecipient

    def finish(self, message: Message, now_ms: int) -> Unpacked:
        sender = check_addresses(message, self.sender_kid, self.recipient_kids, now_ms)
        signed_by = None
        if self.jws is not None:
            if self.recipient_kids and not message.to:
                raise RecipientMismatch("a signed message inside an encrypted one must say whom it is for")
            sender, signed_by = self._check_signatures(self.jws, message)
        rotation = None if message.from_prior is None else self._check_rotation(message, now_ms)
        encrypted_for = self.recipient_kids
        return Unpacked(
            message,
            sender,
            bool(encrypted_for),
            sender is not None,
            signed_by is not None,
            self.anonymous,
            signed_by,
            None if self.sender_kid is None else canonical_kid(self.sender_kid),
            encrypted_for[-1] if encrypted_for else None,
            self.signed,
            rotation,
        )

    def _check_rotation(self, message: Message, now_ms: int) -> Rotation:
        if not self.recipient_kids:
            raise BadRotation("a from_prior in a message that is not encrypted")
        recipients = {did_of(kid) for kid in self.recipient_kids}
        return check_from_prior(message.from_prior or "", message.from_, recipients, self.resolver, now_ms)

    def _check_signatures(self, jws: Jws, message: Message) -> tuple[str, str]:
        """Every signature must be the sender's. No key is looked up before its id was bound to `from`."""
        if message.from_ is None:
            raise SenderMismatch("a signed message without from")
        sender = did_of_url(message.from_)
        for signature in jws.signatures:
            if owner_of(signature.kid) != sender:
                raise SenderMismatch("a message signed by another DID than its from")
        # The key may go by the short form while `from` carries the document.
        long_did = message.from_ if is_long_form(message.from_) else ""
        for signature in jws.signatures:
            document = self.resolver.resolve(long_did or did_of(signature.kid))
            signature.check(document.authentication_key(signature.kid), jws.payload)
        return sender, canonical_kid(jws.signatures[0].kid)


def check_addresses(
    message: Message, sender_kid: str | None, recipient_kids: list[str], now_ms: int
) -> str | None:
    """Binds a message to the keys that opened it (DIDComm v2.1, "Message Layer Addressing Consistency").

    Gives the sender that the authcrypt layer proves. Key ids of recipients are canonical.
    """
    if message.expires_time is not None and message.expires_time * 1000 <= now_ms:
        raise Expired(f"the message expired at {message.expires_time} (seconds since 1970)")
    sender = None
    if sender_kid is not None:
        sender = owner_of(sender_kid)
        if (did_of_url(message.from_) if message.from_ else "") != sender and not _is_end_by(message, sender):
            raise SenderMismatch("the message's from is not the DID whose key encrypted it")
    if message.to and recipient_kids:
        named = [did_of_url(did) for did in message.to]
        for kid in recipient_kids:
            if did_of(kid) not in named:
                raise RecipientMismatch
    return sender


def _is_end_by(message: Message, sender: str) -> bool:
    """Whether `sender` ends its relationship: then there is a `from_prior` without `sub`, and no `from`.

    Authcrypt requires a `from`, and the end of a relationship forbids it; the prior DID in its place proves
    as much, and binds the end to its receiver, which an anoncrypt does not.
    """
    if message.from_ is not None or message.from_prior is None:
        return False
    claim = read_from_prior(message.from_prior)
    return claim.sub is None and canonical_did(claim.iss) == sender
