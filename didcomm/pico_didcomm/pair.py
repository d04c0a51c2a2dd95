"""A fast way between two DIDs that talk often: authcrypt with everything reused that may be.

What is the same for every message of a pair is computed once: the agreement of the two static keys (one
of the two that every message needs), key ids, `apu` and `apv`, the fixed text of the envelope. The
ephemeral key, the content key and the nonce are fresh for every message. An envelope whose fixed text is
exactly what this class writes was checked when that text was made; any other goes through `unpack`, and
both ways end in the same checks.
"""

from __future__ import annotations

from typing import Any, Final

import nacl.bindings as sodium

from pico_didcomm.did.document import DidDocument, canonical_did, canonical_kid
from pico_didcomm.did.peer4 import resolve_peer_4_short
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.encoding import (
    Entropy,
    JsonObject,
    b64url_decode,
    b64url_encode,
    json_bytes,
    strict_json_object,
)
from pico_didcomm.errors import DidError, RecipientMismatch, SenderMismatch
from pico_didcomm.identity import AGREEMENT_FRAGMENT, ChannelIdentity
from pico_didcomm.jwe import (
    AUTHCRYPT,
    CONTENT_ENCRYPTIONS,
    apv_of,
    derive_kek,
    header_before_epk,
    is_jwe,
    kdf_info,
    unwrap_key,
    wrap_key,
)
from pico_didcomm.jws import is_jws
from pico_didcomm.keys import SEED_BYTES, KeyPair, key_pair, x25519
from pico_didcomm.message import Message
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, Unpacked, check_addresses, check_size, unpack

_ENC: Final = CONTENT_ENCRYPTIONS["A256CBC-HS512"]
_EPK_HEAD: Final = b'{"kty":"OKP","crv":"X25519","x":"'
_HEADER_TAIL: Final = b'"}}'
_PROTECTED: Final = b'{"protected":"'
_BEFORE_IV: Final = b'"}],"iv":"'
_BEFORE_TEXT: Final = b'","ciphertext":"'
_BEFORE_TAG: Final = b'","tag":"'
# The lengths in base64url of 32, 72 (a wrapped key), 16 and 32 bytes.
_X_CHARS, _KEY_CHARS, _IV_CHARS, _TAG_CHARS = 43, 96, 22, 43


class PairChannel:
    """Packs and unpacks messages between a channel identity of ours and one other DID.

    `theirs` is the other side's document, or the long form of its did:peer:4. On the wire both sides go
    by their short forms. It holds secrets; give it up when a key changes.
    """

    __slots__ = (
        "_form_in",
        "_form_out",
        "_my_kid",
        "_private",
        "_resolver",
        "_static",
        "_their_key",
        "_their_kid",
        "mine",
        "theirs",
    )

    def __init__(self, mine: ChannelIdentity, theirs: DidDocument | str) -> None:
        document = resolve_peer_4_short(theirs) if isinstance(theirs, str) else theirs
        keys = [(kid, key) for kid, key in document.agreement_keys() if key.curve == "X25519"]
        if len(keys) != 1:
            # Several keys may be held by several devices: each needs a row of its own (`pack_authcrypt`).
            raise DidError("the other side does not have exactly one X25519 key to encrypt for")
        self.mine = mine.did
        self.theirs = canonical_did(document.did)
        self._resolver = _PairResolver(document)
        self._private = mine.agreement_seed
        self._their_key = keys[0][1].data
        self._my_kid = mine.did + AGREEMENT_FRAGMENT
        self._their_kid = canonical_kid(keys[0][0])
        self._static = x25519(self._private, self._their_key)
        self._form_out = _Form(self._my_kid, self._their_kid)
        self._form_in = _Form(self._their_kid, self._my_kid)

    def pack(self, message: Message | dict[str, Any] | bytes, entropy: Entropy) -> bytes:
        """An authcrypt envelope. `from` and `to` are filled in where a dict lacks them.

        Bytes are a plaintext message in JSON, taken as they are: the other side refuses wrong addresses.
        """
        plaintext = message if isinstance(message, bytes) else json_bytes(self._addressed(message))
        random = entropy(SEED_BYTES + _ENC.key_bytes + _ENC.iv_bytes)
        seed, cek, iv = random[:32], random[32:96], random[96:]
        protected = self._form_out.protected(sodium.crypto_scalarmult_base(seed))
        ciphertext, tag = _ENC.encrypt(cek, iv, plaintext, protected)
        kek = derive_kek(x25519(seed, self._their_key) + self._static, self._form_out.info, tag)
        return self._form_out.write(protected, wrap_key(kek, cek), iv, ciphertext, tag)

    def unpack(self, data: bytes, now_ms: int, *, envelope_bytes_max: int = ENVELOPE_BYTES_MAX) -> Unpacked:
        """Opens an envelope from the other side: authcrypt, or signed inside an anoncrypt.

        Whatever does not prove the other side as its sender fails, with a DidcommError as in `unpack`.
        """
        check_size(data, envelope_bytes_max)
        unpacked = self._open(data, now_ms)
        if unpacked is not None:
            return unpacked
        unpacked = unpack(data, self, self._resolver, now_ms, envelope_bytes_max=envelope_bytes_max)
        if unpacked.sender != self.theirs or unpacked.recipient_kid is None:
            raise SenderMismatch("a message on this connection that does not prove to be from its other side")
        return unpacked

    def find(self, kid: str) -> KeyPair | None:
        """The pair's own key, as `Secrets`."""
        return key_pair("X25519", self._private) if kid == self._my_kid else None

    def _addressed(self, message: Message | dict[str, Any]) -> JsonObject:
        raw = message.to_dict() if isinstance(message, Message) else message
        if "from" not in raw or "to" not in raw:
            raw = {**raw, "from": raw.get("from", self.mine), "to": raw.get("to", [self.theirs])}
        if canonical_did(raw["from"]) != self.mine:
            raise SenderMismatch("a message in the name of another DID than the channel's own")
        if self.theirs not in [canonical_did(did) for did in raw["to"]]:
            raise RecipientMismatch("a message for somebody else than the connection's other side")
        return raw

    def _open(self, data: bytes, now_ms: int) -> Unpacked | None:
        """The message of an envelope in our own form.

        None for other envelopes, or with one inside it, or a change of DID, which `unpack` judges.
        """
        parts = self._form_in.match(data)
        if parts is None:
            return None
        protected, x, encrypted_key, iv, ciphertext, tag = parts
        kek = derive_kek(x25519(self._private, x) + self._static, self._form_in.info, tag)
        cek = unwrap_key(kek, encrypted_key, _ENC)
        inner = strict_json_object(_ENC.decrypt(cek, iv, ciphertext, tag, protected), "a message")
        if is_jwe(inner) or is_jws(inner):
            return None
        message = Message.from_dict(inner)
        if message.from_prior is not None:
            return None
        sender = check_addresses(message, self._their_kid, [self._my_kid], now_ms)
        return Unpacked(
            message,
            sender,
            encrypted=True,
            authenticated=True,
            sender_kid=self._their_kid,
            recipient_kid=self._my_kid,
        )


class _Form:
    """The text of an envelope in one direction: what is fixed, and where the variable parts stand.

    All variable parts are strict base64url, so text of this form is JSON with each member once, whose header
    says exactly what the fixed parts say.
    """

    __slots__ = ("_begin", "_middle", "_protected_end", "_rest", "info")

    def __init__(self, sender_kid: str, recipient_kid: str) -> None:
        apv = apv_of([recipient_kid])
        before = header_before_epk(AUTHCRYPT, _ENC.name, apv, sender_kid) + _EPK_HEAD
        whole = len(before) // 3 * 3  # base64 turns groups of three bytes into text that never changes
        row = json_bytes({"header": {"kid": recipient_kid}})[:-1]
        self._begin = _PROTECTED + b64url_encode(before[:whole]).encode()
        self._rest = before[whole:]
        epk_bytes = len(self._rest) + _X_CHARS + len(_HEADER_TAIL)
        self._protected_end = len(self._begin) + -(-epk_bytes * 4 // 3)  # base64url rounds up
        self._middle = b'","recipients":[' + row + b',"encrypted_key":"'
        self.info = kdf_info(AUTHCRYPT, sender_kid.encode(), apv)

    def protected(self, x: bytes) -> bytes:
        """The protected header with an ephemeral public key."""
        rest = self._rest + b64url_encode(x).encode() + _HEADER_TAIL
        return self._begin[len(_PROTECTED) :] + b64url_encode(rest).encode()

    def write(
        self, protected: bytes, encrypted_key: bytes, iv: bytes, ciphertext: bytes, tag: bytes
    ) -> bytes:
        """The envelope."""
        key, nonce, text, mac = map(b64url_encode, (encrypted_key, iv, ciphertext, tag))
        tail = f'{key}"}}],"iv":"{nonce}","ciphertext":"{text}","tag":"{mac}"}}'
        return b"".join((_PROTECTED, protected, self._middle, tail.encode()))

    def match(self, data: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes] | None:
        """protected (as text), x, encrypted key, iv, ciphertext, tag; None if `data` has another form."""
        begin, middle, rest = self._begin, self._middle, self._rest
        protected_end = self._protected_end
        key_start = protected_end + len(middle)
        iv_start = key_start + _KEY_CHARS + len(_BEFORE_IV)
        text_start = iv_start + _IV_CHARS + len(_BEFORE_TEXT)
        tag_start = len(data) - 2 - _TAG_CHARS
        text_end = tag_start - len(_BEFORE_TAG)
        if (
            text_end < text_start
            or not data.startswith(begin)
            or data[protected_end:key_start] != middle
            or data[key_start + _KEY_CHARS : iv_start] != _BEFORE_IV
            or data[iv_start + _IV_CHARS : text_start] != _BEFORE_TEXT
            or data[text_end:tag_start] != _BEFORE_TAG
            or data[-2:] != b'"}'
        ):
            return None
        epk = b64url_decode(data[len(begin) : protected_end])
        if epk[: len(rest)] != rest or epk[-3:] != _HEADER_TAIL:
            return None
        return (
            data[len(_PROTECTED) : protected_end],
            b64url_decode(epk[len(rest) : -3]),
            b64url_decode(data[key_start : key_start + _KEY_CHARS]),
            b64url_decode(data[iv_start : iv_start + _IV_CHARS]),
            b64url_decode(data[text_start:text_end]),
            b64url_decode(data[tag_start:-2]),
        )


class _PairResolver:
    """Knows the other side's document under its own name, and everything that explains itself."""

    def __init__(self, document: DidDocument) -> None:
        self._document = document

    def resolve(self, did: str) -> DidDocument:
        if did in (self._document.did, canonical_did(self._document.did)):
            return self._document
        return Resolver(documents_cached_max=1).resolve(did)
