"""The module `ursa`: envelopes of DIDComm version 1 (Aries), with keys that the ruleset has made and keeps.

No key of the node is in it: the functions get their keys as arguments, and `generateDID` makes new ones from
the turn's entropy. Formats as the existing engine writes them: keys in base58, all else in base64url with
padding. The envelope is Aries RFC 0019 (`JWM/1.0`, ChaCha20-Poly1305), the signed field that of RFC 0023.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import blake2b
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import base58
import orjson
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.jsontext import decode, encode
from pico_engine.krl.modules.member import Member
from pico_engine.krl.values import UNDEFINED, is_number, truth, typeof

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

_STEPS_PER_KEY: Final = 200
"""An operation with a public key takes about as long as so many calls."""
_STEPS_PER_KIB: Final = 16
"""To encode, to decode and to encrypt it once each."""
_NUMBERS_PER_STEP: Final = 4
"""Of an array that stands for bytes."""
_KEY_MAX_CHARS: Final = 128
"""Of a key in base58: 64 bytes are 88 characters, and decoding takes the square of the length."""
_SEVEN_BITS: Final = bytes(one & 0x7F for one in range(256))
_TIME_BYTES: Final = 8
"""A signed field begins with the time."""


# -- formats ------------------------------------------------------------------------------------------------


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _unb64(run: Instance, value: Value, what: str) -> bytes:
    if type(value) is not str:
        raise type_error(f"{what} is text in base64url, not {typeof(value)}")
    _count(run, len(value))
    try:
        return base64.b64decode(value.encode(), altchars=b"-_", validate=True)
    except ValueError:
        raise KrlRuntimeError("Error", f"{what} is no base64url with padding") from None


def _key(value: Value, what: str, length: int) -> bytes:
    """A key of so many bytes in base58, or as bytes."""
    if isinstance(value, list) and len(value) <= _KEY_MAX_CHARS:
        data = _bytes(value, what)
    elif type(value) is str and len(value) <= _KEY_MAX_CHARS:
        try:
            data = base58.b58decode(value)
        except ValueError:
            raise KrlRuntimeError("Error", f"{what} is no base58") from None
    else:
        raise type_error(f"{what} is a key in base58, not {typeof(value)}")
    if len(data) != length:
        raise KrlRuntimeError("Error", f"{what} has {len(data)} bytes instead of {length}")
    return data


def _bytes(value: Value, what: str) -> bytes:
    """Numbers as bytes: their whole part modulo 256, as JavaScript has it."""
    if not isinstance(value, list):
        raise type_error(f"{what} is an Array of numbers, not {typeof(value)}")
    whole = [int(one) if is_number(one) and isfinite(one) else 0 for one in value]
    return bytes(one % 256 for one in whole)


def _member(value: Value, *path: str) -> Value:
    for name in path:
        value = value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
    return value


def _count(run: Instance, size: int, keys: int = 0) -> None:
    run.step(_STEPS_PER_KEY * keys + _STEPS_PER_KIB * (size // 1_024))
    run.grow(2 * size)


# -- keys and signatures ------------------------------------------------------------------------------------


def _generate_did(run: Instance) -> Value:
    """A DID of did:sov's form with its keys, and a pair of Ed25519 keys for `pack`, `unpack` and the like."""
    _count(run, 0, keys=4)
    seed, other = run.entropy(32), run.entropy(32)
    verify, _ = sodium.crypto_sign_seed_keypair(seed)
    aries, aries_secret = sodium.crypto_sign_seed_keypair(other)

    def text(data: bytes) -> str:
        return base58.b58encode(data).decode()

    return {
        "did": text(verify[:16]),
        "verifyKey": text(verify),
        "encryptionPublicKey": text(sodium.crypto_scalarmult_base(seed)),
        "ariesPublicKey": text(aries),
        "secret": {
            "seed": seed.hex(),
            "signKey": text(seed),
            "encryptionPrivateKey": text(seed),
            "ariesPrivateKey": text(aries_secret),
        },
    }


def _data(run: Instance, value: Value) -> bytes:
    """The argument `bytes`, counted before anything is done with it."""
    size = len(value) if isinstance(value, list) else 0
    run.step(size // _NUMBERS_PER_STEP)
    _count(run, size)
    return _bytes(value, "bytes")


def _sig_data(run: Instance, bytes: Value = UNDEFINED) -> Value:  # noqa: A002 - KRL's own name
    data = _data(run, bytes)
    return _b64(data)


def _crypto_sign(
    run: Instance,
    bytes: Value = UNDEFINED,  # noqa: A002 - KRL's own name
    chann: Value = UNDEFINED,
) -> Value:
    data = _data(run, bytes)
    _count(run, 0, keys=1)
    key = _key(_member(chann, "secret", "ariesPrivateKey"), "ariesPrivateKey", 64)
    return _b64(sodium.crypto_sign(data, key)[:64])


def _verify_signed_field(run: Instance, signed_field: Value = UNDEFINED) -> Value:
    """{sig_verified, field, timestamp}: whether the signature holds, what was signed, and its time."""
    signature = _unb64(run, _member(signed_field, "signature"), "signature")
    data = _unb64(run, _member(signed_field, "sig_data"), "sig_data")
    signer = _key(_member(signed_field, "signer"), "signer", 32)
    _count(run, len(data), keys=1)
    try:
        holds = sodium.crypto_sign_open(signature + data, signer) == data and len(signature) == 64
    except CryptoError:
        holds = False
    # Buffer's "ascii" leaves the highest bit of each byte out.
    field = data[_TIME_BYTES:].translate(_SEVEN_BITS).decode("ascii")
    return {"sig_verified": holds, "field": field, "timestamp": list(data[:_TIME_BYTES])}


# -- envelopes ----------------------------------------------------------------------------------------------


def _curve(run: Instance, public: bytes) -> bytes:
    run.step(_STEPS_PER_KEY)
    try:
        return sodium.crypto_sign_ed25519_pk_to_curve25519(public)
    except (CryptoError, RuntimeError):
        raise KrlRuntimeError("Error", "invalid key: no Ed25519 public key") from None


def _seal(run: Instance, message: bytes, public: bytes) -> bytes:
    """libsodium's sealed box, with the turn's entropy in the place of the machine's."""
    ephemeral, secret = sodium.crypto_box_seed_keypair(run.entropy(32))
    nonce = blake2b(ephemeral + public, digest_size=sodium.crypto_box_NONCEBYTES).digest()
    return ephemeral + sodium.crypto_box(message, nonce, public, secret)


def _pack(
    run: Instance,
    message: Value = UNDEFINED,
    toPublicKeys: Value = UNDEFINED,  # noqa: N803 - KRL's own names
    fromChann: Value = UNDEFINED,  # noqa: N803 - likewise
) -> Value:
    """An envelope as text, for the keys `toPublicKeys`; from `fromChann`, or from nobody."""
    if type(message) is not str:
        raise type_error(f"unsupported input type for message: {typeof(message)}")
    if not isinstance(toPublicKeys, list):
        raise type_error(f"toPublicKeys is an Array of keys, not {typeof(toPublicKeys)}")
    text = message.encode(errors="replace")
    _count(run, len(text), keys=2 * len(toPublicKeys))
    sender_key, sender = "", b""
    if truth(fromChann):
        sender_key = _member(fromChann, "ariesPublicKey")
        _key(sender_key, "ariesPublicKey", 32)
        private = _key(_member(fromChann, "secret", "ariesPrivateKey"), "ariesPrivateKey", 64)
        sender = sodium.crypto_sign_ed25519_sk_to_curve25519(private)
    content_key = run.entropy(32)
    recipients = []
    for one in toPublicKeys:
        public = _key(one, "a key of toPublicKeys", 32)
        target = _curve(run, public)
        header: dict[str, Any] = {"kid": base58.b58encode(public).decode(), "sender": None, "iv": None}
        if sender:
            nonce = run.entropy(sodium.crypto_box_NONCEBYTES)
            sealed = sodium.crypto_box(content_key, nonce, target, sender)
            header |= {"sender": _b64(_seal(run, sender_key.encode(), target)), "iv": _b64(nonce)}
        else:
            sealed = _seal(run, content_key, target)
        recipients.append({"encrypted_key": _b64(sealed), "header": header})
    head = {
        "enc": "xchacha20poly1305_ietf",
        "typ": "JWM/1.0",
        "alg": "Authcrypt" if sender else "Anoncrypt",
        "recipients": recipients,
    }
    protected = _b64(orjson.dumps(head))
    nonce = run.entropy(sodium.crypto_aead_chacha20poly1305_ietf_NPUBBYTES)
    sealed = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(text, protected.encode(), nonce, content_key)
    parts = {"protected": protected, "iv": _b64(nonce), "ciphertext": _b64(sealed[:-16])}
    return encode(run, {**parts, "tag": _b64(sealed[-16:])})


def _json(run: Instance, text: str, what: str) -> Value:
    value = decode(run, text)
    if not isinstance(value, dict):
        raise KrlRuntimeError("SyntaxError", f"{what} is no JSON object")
    return value


def _unpack(
    run: Instance,
    messageIn: Value = UNDEFINED,  # noqa: N803 - KRL's own name
    chann: Value = UNDEFINED,
) -> Value:
    """{message, sender_key, recipient_key} of an envelope for `chann`. Raises KrlRuntimeError."""
    wrapper = _json(run, messageIn, "the envelope") if type(messageIn) is str else messageIn
    protected = _member(wrapper, "protected")
    head = _json(run, _unb64(run, protected, "protected").decode(errors="replace"), "protected")
    sealed = b"".join(_unb64(run, _member(wrapper, name), name) for name in ("ciphertext", "tag"))
    _count(run, len(sealed), keys=4)
    kid = _member(chann, "ariesPublicKey")
    public = _curve(run, _key(kid, "ariesPublicKey", 32))
    private = _key(_member(chann, "secret", "ariesPrivateKey"), "ariesPrivateKey", 64)
    secret = sodium.crypto_sign_ed25519_sk_to_curve25519(private)
    every = _member(head, "recipients")
    run.step(len(every) if isinstance(every, list) else 0)
    found = [one for one in every if _member(one, "header", "kid") == kid] if isinstance(every, list) else []
    if not found:
        raise KrlRuntimeError("Error", "No corresponding recipient key found")
    alg = _member(head, "alg")
    if alg not in ("Authcrypt", "Anoncrypt"):
        raise KrlRuntimeError("Error", f"Unsupported pack algorithm: {alg}")
    try:
        content_key, sender = _opened(run, found[0], public, secret)
        if alg == "Authcrypt" and sender is None:
            raise KrlRuntimeError("Error", "Sender public key not provided in Authcrypt message")
        nonce = _unb64(run, _member(wrapper, "iv"), "iv")
        text = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
            sealed, protected.encode(), nonce, content_key
        ).decode()
    except (CryptoError, ValueError, TypeError):
        raise KrlRuntimeError(
            "Error", "the envelope cannot be opened: it is not for this key, or damaged"
        ) from None
    return {"message": text, "sender_key": sender, "recipient_key": kid}


def _opened(run: Instance, recipient: Value, public: bytes, secret: bytes) -> tuple[bytes, str | None]:
    """The content's key, and the sender's in base58; None for nobody's."""
    sealed = _unb64(run, _member(recipient, "encrypted_key"), "encrypted_key")
    nonce, sender = _member(recipient, "header", "iv"), _member(recipient, "header", "sender")
    if not (truth(nonce) and truth(sender)):
        return sodium.crypto_box_seal_open(sealed, public, secret), None
    key = sodium.crypto_box_seal_open(_unb64(run, sender, "sender"), public, secret).decode()
    theirs = _curve(run, _key(key, "the sender's key", 32))
    return sodium.crypto_box_open(sealed, _unb64(run, nonce, "iv"), theirs, secret), key


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "generateDID": Member("function", _generate_did),
        "sig_data": Member("function", _sig_data),
        "crypto_sign": Member("function", _crypto_sign),
        "verify_signed_field": Member("function", _verify_signed_field),
        "unpack": Member("function", _unpack),
        "pack": Member("function", _pack),
    }
)
