"""Puts messages into envelopes. Only the combinations that DIDComm v2.1 lets a sender emit can be made."""

from __future__ import annotations

from collections.abc import Iterable

from pico_didcomm.did.document import DidDocument, canonical_did
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import BadMessage, DidError, RecipientMismatch
from pico_didcomm.jwe import make_jwe
from pico_didcomm.jws import make_jws
from pico_didcomm.keys import Party, PublicKey
from pico_didcomm.message import Message

Documents = DidDocument | Iterable[DidDocument]


def pack_signed(message: Message, signer: Party) -> bytes:
    """A signed message, readable by everybody. `from` says which form of the signer's DID names the key."""
    return make_jws(message.to_bytes(), signer.signing_key(_sender_of(message)))


def pack_anoncrypt(message: Message | bytes, to: Documents, entropy: Entropy, *, enc: str = "XC20P") -> bytes:
    """An encrypted message that does not prove its sender. Bytes are an envelope to be sealed once more."""
    documents = _documents(to)
    if isinstance(message, Message):
        _check_recipients(message, documents)
        message = message.to_bytes()
    return make_jwe(message, _recipients(documents), entropy, enc)


def pack_authcrypt(message: Message, sender: Party, to: Documents, entropy: Entropy) -> bytes:
    """An encrypted message that proves its sender to the recipients, and to nobody else."""
    documents = _documents(to)
    _check_recipients(message, documents)
    key = sender.agreement_key(_sender_of(message))
    recipients = _recipients(documents, key.pair.curve)
    return make_jwe(message.to_bytes(), recipients, entropy, "A256CBC-HS512", key)


def pack_signed_anoncrypt(
    message: Message, signer: Party, to: Documents, entropy: Entropy, *, enc: str = "XC20P"
) -> bytes:
    """A signed message inside an encrypted one: the recipient can prove to others who sent it."""
    documents = _documents(to)
    # Without `to` a recipient could seal the signed message again for somebody else, as if meant for them.
    if not message.to:
        raise BadMessage("a message that is signed and encrypted must name its recipients in `to`")
    _check_recipients(message, documents)
    return make_jwe(pack_signed(message, signer), _recipients(documents), entropy, enc)


def pack_anoncrypt_authcrypt(message: Message, sender: Party, to: Documents, entropy: Entropy) -> bytes:
    """An authcrypt inside an anoncrypt: relays do not see who sent it."""
    documents = _documents(to)
    return pack_anoncrypt(pack_authcrypt(message, sender, documents, entropy), documents, entropy)


def _documents(to: Documents) -> list[DidDocument]:
    return [to] if isinstance(to, DidDocument) else list(to)


def _sender_of(message: Message) -> str:
    if message.from_ is None:
        raise BadMessage("a message without `from` cannot be authenticated")
    return message.from_


def _check_recipients(message: Message, documents: list[DidDocument]) -> None:
    named = {canonical_did(did) for did in message.to}
    if named and not all(canonical_did(document.did) in named for document in documents):
        raise RecipientMismatch("a recipient that the message's `to` does not name", "add it to `to`")


def _recipients(documents: list[DidDocument], curve: str | None = None) -> list[tuple[str, PublicKey]]:
    """Every key of the documents on one curve: the given one, or that of the first document's first key."""
    recipients: list[tuple[str, PublicKey]] = []
    for document in documents:
        keys = document.agreement_keys()
        if curve is None and keys:
            curve = keys[0][1].curve
        usable = [(kid, key) for kid, key in keys if key.curve == curve]
        if not usable:
            raise DidError("a recipient's DID document has no key to encrypt for on the curve in use")
        recipients += usable
    return recipients
