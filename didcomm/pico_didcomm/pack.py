"""Puts messages into envelopes. Only the combinations that DIDComm v2.1 lets a sender emit can be made.

An encrypted envelope is for one DID. A message to several DIDs names them all in `to`, and is packed once for
each: `[pack_authcrypt(message, alice, document, entropy) for document in documents]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pico_didcomm.curves import CURVES
from pico_didcomm.did.document import DidDocument, canonical_did, owner_of
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import BadMessage, BadRotation, DidError, RecipientMismatch, SenderMismatch
from pico_didcomm.from_prior import read_from_prior
from pico_didcomm.jwe import make_jwe
from pico_didcomm.jws import make_jws
from pico_didcomm.keys import NamedKey, Party, PublicKey
from pico_didcomm.message import Message, did_of_url

Signer = Party | list[NamedKey]
"""Who signs: a party with its preferred key, or exactly these keys."""


def pack_signed(message: Message, signer: Signer, *, flattened: bool = False) -> bytes:
    """A signed message, readable by everybody. `from` says which form of the signer's DID names the key.

    Several keys of one DID make several signatures. `flattened` writes one signature in the short form.
    """
    if message.from_prior is not None:
        raise BadRotation("a message that changes its DID and is not encrypted", "encrypt it")
    return _signed(message, signer, flattened=flattened)


def pack_anoncrypt(
    message: Message | bytes,
    to: DidDocument,
    entropy: Entropy,
    *,
    enc: str = "XC20P",
    curve: str | None = None,
) -> bytes:
    """An encrypted message that does not prove its sender. Bytes are an envelope to be sealed once more.

    It is for every key of the document on `curve`, or on the curve of its first key. UnsupportedAlgorithm for
    an unknown `enc`; DidError when the document has no key on the curve.
    """
    if isinstance(message, Message):
        _check_recipient(message, to)
        _check_rotation(message)
        message = message.to_bytes()
    return make_jwe(message, _recipients(to, [curve] if curve else _curves(to)), entropy, enc)


def pack_authcrypt(
    message: Message, sender: Party, to: DidDocument, entropy: Entropy, *, curve: str | None = None
) -> bytes:
    """An encrypted message that proves its sender to the recipients, and to nobody else.

    Both sides need keys on `curve`, or on any one; of several the sender's first choice is taken.
    """
    _check_recipient(message, to)
    _check_rotation(message)
    keys: dict[str, NamedKey] = {}
    for key in sender.agreement_keys(_sender_of(message)):
        keys.setdefault(key.pair.curve, key)
    recipients = _recipients(to, [name for name in keys if curve in (None, name)])
    return make_jwe(message.to_bytes(), recipients, entropy, "A256CBC-HS512", keys[recipients[0][1].curve])


def pack_signed_anoncrypt(
    message: Message,
    signer: Signer,
    to: DidDocument,
    entropy: Entropy,
    *,
    enc: str = "XC20P",
    curve: str | None = None,
) -> bytes:
    """A signed message inside an encrypted one: the recipient can prove to others who sent it."""
    # Without `to` a recipient could seal the signed message again for somebody else, as if meant for them.
    if not message.to:
        raise BadMessage("a message that is signed and encrypted must name its recipients in `to`")
    _check_recipient(message, to)
    _check_rotation(message)
    return pack_anoncrypt(_signed(message, signer), to, entropy, enc=enc, curve=curve)


def pack_anoncrypt_authcrypt(
    message: Message,
    sender: Party,
    to: DidDocument,
    entropy: Entropy,
    *,
    enc: str = "XC20P",
    curve: str | None = None,
) -> bytes:
    """An authcrypt inside an anoncrypt: relays do not see who sent it."""
    inner = pack_authcrypt(message, sender, to, entropy, curve=curve)
    return pack_anoncrypt(inner, to, entropy, enc=enc, curve=curve)


def _signed(message: Message, signer: Signer, *, flattened: bool = False) -> bytes:
    sender = _sender_of(message)
    did = did_of_url(sender)
    keys = signer if isinstance(signer, list) else [signer.signing_key(sender)]
    for key in keys:
        if owner_of(key.kid) != did:
            raise SenderMismatch("a message in the name of another DID than its signer's")
    return make_jws(message.to_bytes(), keys, flattened=flattened)


def _sender_of(message: Message) -> str:
    if message.from_ is None:
        raise BadMessage("a message without `from` cannot be authenticated")
    return message.from_


def _check_recipient(message: Message, document: DidDocument) -> None:
    if message.to and canonical_did(document.did) not in {did_of_url(did) for did in message.to}:
        raise RecipientMismatch("a recipient that the message's `to` does not name", "add it to `to`")


def _check_rotation(message: Message) -> None:
    if message.from_prior is None:
        return
    new = read_from_prior(message.from_prior).sub
    if (new is None) != (message.from_ is None) or canonical_did(new or "") != canonical_did(
        message.from_ or ""
    ):
        raise BadRotation("a from_prior for another DID than the message's from", "make one for this DID")


def _curves(document: DidDocument) -> list[str]:
    return [key.curve for _, key in document.agreement_keys()]


def _recipients(document: DidDocument, curves: Sequence[str]) -> list[tuple[str, PublicKey]]:
    """Every key of the document on the first of `curves` on which it has one."""
    keys = document.agreement_keys()
    for curve in curves:
        usable = [(kid, key) for kid, key in keys if key.curve == curve and CURVES[curve].agree]
        if usable:
            return usable
    raise DidError("the recipient's DID document has no key to encrypt for on a curve in use")
