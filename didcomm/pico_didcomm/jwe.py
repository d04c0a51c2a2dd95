"""JSON Web Encryption as DIDComm uses it: content encryption, key derivation and the envelope's form.

Anoncrypt is ECDH-ES+A256KW, authcrypt ECDH-1PU+A256KW (draft-madden-jose-ecdh-1pu-04). An ephemeral key
(`epk`), and for authcrypt the sender's static key too, agrees with every recipient's key on a key that wraps
the content key. Algorithms and curves are rows of tables.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import nacl.bindings as sodium
import nacl.exceptions
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pico_didcomm.did.document import canonical_kid, owner_of
from pico_didcomm.encoding import (
    Entropy,
    JsonObject,
    b64url_decode,
    b64url_encode,
    json_bytes,
    strict_json_object,
)
from pico_didcomm.errors import BadEnvelope, BadKey, DecryptionFailed, LimitExceeded, UnsupportedAlgorithm
from pico_didcomm.keys import KeyPair, NamedKey, PublicKey, agree, generate_key_pair, public_key_from_jwk
from pico_didcomm.message import RECIPIENTS_MAX

ENCRYPTED_TYPES: Final = ("application/didcomm-encrypted+json", "didcomm-encrypted+json")
ANONCRYPT: Final = "ECDH-ES+A256KW"
AUTHCRYPT: Final = "ECDH-1PU+A256KW"

KEK_BYTES: Final = 32  # A256KW


# -- content encryption ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContentEncryption:
    """A row of the table of content encryptions. Keys, nonces and tags have the sizes that stand here."""

    name: str
    key_bytes: int
    iv_bytes: int
    tag_bytes: int
    encrypt: Callable[[bytes, bytes, bytes, bytes], tuple[bytes, bytes]]  # key, iv, text, aad -> text, tag
    decrypt: Callable[[bytes, bytes, bytes, bytes, bytes], bytes]  # key, iv, text, tag, aad


def _cbc_hs512_tag(key: bytes, iv: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    text = b"".join((aad, iv, ciphertext, (len(aad) * 8).to_bytes(8, "big")))
    return hmac.digest(key[:32], text, "sha512")[:32]


def _cbc_hs512_encrypt(key: bytes, iv: bytes, text: bytes, aad: bytes) -> tuple[bytes, bytes]:
    encryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).encryptor()
    missing = 16 - len(text) % 16
    ciphertext = encryptor.update(text + bytes((missing,)) * missing) + encryptor.finalize()
    return ciphertext, _cbc_hs512_tag(key, iv, ciphertext, aad)


def _cbc_hs512_decrypt(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    # The tag is checked first, so that the padding tells an attacker nothing.
    if not hmac.compare_digest(tag, _cbc_hs512_tag(key, iv, ciphertext, aad)):
        raise DecryptionFailed("the envelope's text was changed, or encrypted under another key")
    if not ciphertext or len(ciphertext) % 16:
        raise DecryptionFailed("a ciphertext that is not whole blocks")
    decryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    missing = padded[-1]
    if not 1 <= missing <= 16 or padded[-missing:] != bytes((missing,)) * missing:
        raise DecryptionFailed("a ciphertext with wrong padding")
    return padded[:-missing]


def _gcm_encrypt(key: bytes, iv: bytes, text: bytes, aad: bytes) -> tuple[bytes, bytes]:
    sealed = AESGCM(key).encrypt(iv, text, aad)
    return sealed[:-16], sealed[-16:]


def _gcm_decrypt(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, aad)
    except InvalidTag as error:
        raise DecryptionFailed("the envelope's text was changed, or encrypted under another key") from error


def _xc20p_encrypt(key: bytes, iv: bytes, text: bytes, aad: bytes) -> tuple[bytes, bytes]:
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(text, aad, iv, key)
    return sealed[:-16], sealed[-16:]


def _xc20p_decrypt(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    try:
        return bytes(sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext + tag, aad, iv, key))
    except nacl.exceptions.CryptoError as error:
        raise DecryptionFailed("the envelope's text was changed, or encrypted under another key") from error


CONTENT_ENCRYPTIONS: Final[Mapping[str, ContentEncryption]] = {
    "XC20P": ContentEncryption("XC20P", 32, 24, 16, _xc20p_encrypt, _xc20p_decrypt),
    "A256GCM": ContentEncryption("A256GCM", 32, 12, 16, _gcm_encrypt, _gcm_decrypt),
    "A256CBC-HS512": ContentEncryption("A256CBC-HS512", 64, 16, 32, _cbc_hs512_encrypt, _cbc_hs512_decrypt),
}

KEY_ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {
    ANONCRYPT: ("XC20P", "A256GCM", "A256CBC-HS512"),
    AUTHCRYPT: ("A256CBC-HS512",),
}
"""Key algorithm -> content encryptions allowed with it. 1PU needs a committing one (its section 2.1)."""


# -- key derivation -------------------------------------------------------------------------------


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def kdf_info(algorithm: str, apu: bytes, apv: bytes) -> bytes:
    """OtherInfo of the Concat KDF (RFC 7518 section 4.6.2) for a 256-bit key, without a tag."""
    return _counted(algorithm.encode()) + _counted(apu) + _counted(apv) + (KEK_BYTES * 8).to_bytes(4, "big")


def derive_kek(shared: bytes, info: bytes, tag: bytes = b"") -> bytes:
    """The key that wraps the content key. 1PU appends the content's tag, counted, to the public info."""
    return hashlib.sha256(b"\0\0\0\1" + shared + info + (_counted(tag) if tag else b"")).digest()


def wrap_key(kek: bytes, cek: bytes) -> bytes:
    """AES key wrap (RFC 3394)."""
    return aes_key_wrap(kek, cek)


def unwrap_key(kek: bytes, wrapped: bytes, enc: ContentEncryption) -> bytes:
    """The content key, of the size that `enc` needs."""
    if len(wrapped) != enc.key_bytes + 8:
        raise DecryptionFailed("an encrypted key of the wrong length")
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        raise DecryptionFailed("the content key was not encrypted for this key") from error


def apv_of(kids: Sequence[str]) -> bytes:
    """`apv` before base64url: the hash of the recipients' key ids, sorted."""
    return hashlib.sha256(".".join(sorted(kids)).encode()).digest()


# -- the envelope's form --------------------------------------------------------------------------


class Jwe(NamedTuple):
    """An encrypted message, taken apart and checked against itself; nothing is decrypted yet."""

    protected: str
    algorithm: str
    enc: ContentEncryption
    epk: PublicKey
    sender_kid: str | None
    info: bytes
    recipients: tuple[tuple[str, str], ...]  # kid, encrypted key in base64url
    iv: bytes
    ciphertext: bytes
    tag: bytes


def is_jwe(raw: JsonObject) -> bool:
    """Whether a JSON object is meant as a JWE."""
    return "ciphertext" in raw


def recipient_rows(raw: JsonObject) -> tuple[tuple[str, str], ...]:
    """The recipients of a JWE: key id and encrypted key."""
    rows = raw.get("recipients")
    if not isinstance(rows, list) or not rows:
        raise BadEnvelope("a JWE without recipients")
    if len(rows) > RECIPIENTS_MAX:
        raise LimitExceeded(f"more than {RECIPIENTS_MAX} recipients in one envelope")
    found = []
    for row in rows:
        header = row.get("header") if isinstance(row, dict) else None
        if not isinstance(header, dict) or header.keys() != {"kid"} or type(header["kid"]) is not str:
            raise BadEnvelope("a JWE recipient whose header is not exactly a kid")
        if type(row.get("encrypted_key")) is not str:
            raise BadEnvelope("a JWE recipient without encrypted key")
        found.append((header["kid"], row["encrypted_key"]))
    if len(found) > 1:
        if len({canonical_kid(kid) for kid, _ in found}) != len(found):
            raise BadEnvelope("a JWE that names a recipient twice")
        _check_one_did([kid for kid, _ in found])
    return tuple(found)


def _check_one_did(kids: Sequence[str]) -> None:
    """A message for several DIDs is encrypted for each of them apart (DIDComm v2.1, "Message Encryption")."""
    if len({owner_of(kid) for kid in kids}) != 1:
        raise BadEnvelope("a JWE for keys of several DIDs", "encrypt the message once for every DID")


def sealed_parts(raw: JsonObject, enc: ContentEncryption) -> tuple[bytes, bytes, bytes]:
    """iv, ciphertext and tag of a JWE, of the sizes that `enc` has."""
    parts = []
    for name, size in (("iv", enc.iv_bytes), ("ciphertext", None), ("tag", enc.tag_bytes)):
        text = raw.get(name)
        if type(text) is not str:
            raise BadEnvelope(f"a JWE without {name}")
        part = b64url_decode(text)
        if size is not None and len(part) != size:
            raise BadEnvelope(f"a JWE whose {name} is not {size} bytes long")
        parts.append(part)
    return parts[0], parts[1], parts[2]


def check_members(raw: JsonObject) -> str:
    """The protected header's text; members that DIDComm does not use but that change the meaning fail."""
    if not raw.keys().isdisjoint(_FOREIGN_MEMBERS):
        raise BadEnvelope("a JWE with unprotected, header, encrypted_key or aad members")
    protected = raw.get("protected")
    if type(protected) is not str:
        raise BadEnvelope("a JWE without protected header")
    return protected


_FOREIGN_MEMBERS: Final = frozenset(("unprotected", "header", "encrypted_key", "aad"))


def parse_jwe(raw: JsonObject) -> Jwe:
    """Reads a JWE in the general JSON form."""
    protected = check_members(raw)
    recipients = recipient_rows(raw)
    header = strict_json_object(b64url_decode(protected), "a JWE protected header")
    if "crit" in header or "zip" in header:
        raise UnsupportedAlgorithm("a JWE with crit or zip headers")
    algorithm, enc_name = header.get("alg"), header.get("enc")
    if not isinstance(algorithm, str) or algorithm not in KEY_ALGORITHMS:
        raise UnsupportedAlgorithm("a JWE with the key algorithm " + ascii(algorithm)[:40])
    if not isinstance(enc_name, str) or enc_name not in KEY_ALGORITHMS[algorithm]:
        raise UnsupportedAlgorithm(
            f"a JWE with the content encryption {ascii(enc_name)[:40]} and {algorithm}"
        )
    if "typ" in header and header["typ"] not in ENCRYPTED_TYPES:
        raise BadEnvelope("a JWE whose typ is not that of a DIDComm encrypted message")
    enc = CONTENT_ENCRYPTIONS[enc_name]
    apu, sender_kid = _sender_of(header, algorithm)
    apv = _header_bytes(header, "apv")
    if apv != apv_of([kid for kid, _ in recipients]):
        raise BadEnvelope("a JWE whose apv does not fit its recipients")
    epk = header.get("epk")
    if not isinstance(epk, dict) or "d" in epk:
        raise BadEnvelope("a JWE without a public ephemeral key")
    iv, ciphertext, tag = sealed_parts(raw, enc)
    return Jwe(
        protected,
        algorithm,
        enc,
        public_key_from_jwk(epk),
        sender_kid,
        kdf_info(algorithm, apu, apv),
        recipients,
        iv,
        ciphertext,
        tag,
    )


def _header_bytes(header: JsonObject, name: str) -> bytes:
    text = header.get(name)
    if not isinstance(text, str):
        raise BadEnvelope(f"a JWE without {name}")
    return b64url_decode(text)


def _sender_of(header: JsonObject, algorithm: str) -> tuple[bytes, str | None]:
    """`apu` and the sender's key id, which authcrypt has and anoncrypt must not have."""
    if algorithm != AUTHCRYPT:
        if "skid" in header:
            raise BadEnvelope("an anonymous JWE that names a sender key")
        # didcomm-rust and didcomm-node write a null here; both mean that no sender takes part in the key.
        return (b"" if header.get("apu") is None else _header_bytes(header, "apu")), None
    apu = _header_bytes(header, "apu")
    try:
        kid = apu.decode()
    except UnicodeDecodeError as error:
        raise BadEnvelope("a JWE whose apu is not a key id") from error
    # A sender may leave skid out, not contradict it (DIDComm v2.1, ECDH-1PU key wrapping).
    if header.get("skid", kid) != kid:
        raise BadEnvelope("a JWE whose apu and skid differ")
    return apu, kid


def open_jwe(jwe: Jwe, encrypted_key: str, recipient: KeyPair, sender: PublicKey | None) -> bytes:
    """The plaintext, with one recipient's private key and, for authcrypt, the sender's public key."""
    shared = agree(recipient, jwe.epk)
    if sender is not None:
        return open_shared(jwe, encrypted_key, shared + agree(recipient, sender))
    return open_shared(jwe, encrypted_key, shared)


def open_shared(jwe: Jwe, encrypted_key: str, shared: bytes) -> bytes:
    """The plaintext, from the agreed secret."""
    kek = derive_kek(shared, jwe.info, jwe.tag if jwe.algorithm == AUTHCRYPT else b"")
    cek = unwrap_key(kek, b64url_decode(encrypted_key), jwe.enc)
    return jwe.enc.decrypt(cek, jwe.iv, jwe.ciphertext, jwe.tag, jwe.protected.encode("ascii"))


# -- making envelopes -----------------------------------------------------------------------------


def header_before_epk(algorithm: str, enc: str, apv: bytes, sender_kid: str | None) -> bytes:
    """The protected header up to its last member, the ephemeral key: what is the same for every message."""
    header: JsonObject = {"typ": ENCRYPTED_TYPES[0], "alg": algorithm, "enc": enc}
    if sender_kid is not None:
        header |= {"skid": sender_kid, "apu": b64url_encode(sender_kid.encode())}
    header["apv"] = b64url_encode(apv)
    return json_bytes(header)[:-1] + b',"epk":'


def make_jwe(
    plaintext: bytes,
    recipients: Sequence[tuple[str, PublicKey]],
    entropy: Entropy,
    enc_name: str,
    sender: NamedKey | None = None,
) -> bytes:
    """A JWE for recipients (kid, key), keys of one DID on one curve.

    With `sender` it is an authcrypt, without an anoncrypt.
    """
    algorithm = ANONCRYPT if sender is None else AUTHCRYPT
    if enc_name not in KEY_ALGORITHMS[algorithm]:
        raise UnsupportedAlgorithm(f"{enc_name} is not used with {algorithm}")
    if not 0 < len(recipients) <= RECIPIENTS_MAX:
        raise LimitExceeded(f"an envelope has 1 to {RECIPIENTS_MAX} recipients")
    if len({key.curve for _, key in recipients}) != 1:
        raise BadKey("the recipients' keys are on different curves")
    kids = [kid for kid, _ in recipients]
    _check_one_did(kids)
    enc = CONTENT_ENCRYPTIONS[enc_name]
    ephemeral = generate_key_pair(recipients[0][1].curve, entropy)
    cek, iv = entropy(enc.key_bytes), entropy(enc.iv_bytes)
    apv = apv_of(kids)
    before = header_before_epk(algorithm, enc_name, apv, None if sender is None else sender.kid)
    protected = b64url_encode(before + json_bytes(ephemeral.public_key.jwk()) + b"}")
    ciphertext, tag = enc.encrypt(cek, iv, plaintext, protected.encode())
    info = kdf_info(algorithm, b"" if sender is None else sender.kid.encode(), apv)
    rows = []
    for kid, key in recipients:
        shared = agree(ephemeral, key)
        if sender is None:
            kek = derive_kek(shared, info)
        else:
            kek = derive_kek(shared + agree(sender.pair, key), info, tag)
        rows.append({"header": {"kid": kid}, "encrypted_key": b64url_encode(wrap_key(kek, cek))})
    return json_bytes(
        {
            "protected": protected,
            "recipients": rows,
            "iv": b64url_encode(iv),
            "ciphertext": b64url_encode(ciphertext),
            "tag": b64url_encode(tag),
        }
    )
