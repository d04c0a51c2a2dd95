"""What can go wrong with DIDs, envelopes and messages, and the problem-report code to answer with.

DidcommError
├── Malformed                  e.p.msg            bytes that are not what they should be
│   ├── BadEncoding            e.p.msg            base64url, base58, multibase, varint
│   ├── BadJson                e.p.msg            not JSON, too deep, a member twice
│   ├── BadMessage             e.p.msg            JSON that is no DIDComm plaintext message
│   │   └── UnsupportedMessage e.p.msg.unsupported  a message of a type that is not understood here
│   ├── BadEnvelope            e.p.msg            no JWE or JWS that DIDComm allows
│   ├── BadInvitation          e.p.msg            an invitation URL that cannot be read
│   └── LimitExceeded          e.p.me.res         larger or more than a named limit
├── DidError                   e.p.did
│   ├── BadDid                 e.p.did            not a DID, or a document that contradicts its DID
│   ├── UnsupportedDid         e.p.did            a DID method or key type that is not known here
│   └── UnknownDid             e.p.did            a hash of a document that was never seen
│       └── NotFetched         e.p.did            a did:web whose document has to be fetched first
├── CryptoFailed               e.p.trust.crypto
│   ├── UnsupportedAlgorithm   e.p.trust.crypto   an `alg`, `enc`, `crit` or `zip` we refuse
│   ├── BadKey                 e.p.trust.crypto   a key of the wrong size or curve, or a low-order point
│   ├── BadSignature           e.p.trust.crypto
│   ├── DecryptionFailed       e.p.trust.crypto
│   └── NoKeyForRecipient      e.p.trust.crypto   none of the recipients' keys is ours
├── Untrusted                  e.p.trust
│   ├── SenderMismatch         e.p.trust          `from`, key agreement and signature name different senders
│   ├── RecipientMismatch      e.p.trust          `to` does not name who decrypted
│   ├── BadRotation            e.p.trust          a `from_prior` that does not prove a change of DID
│   └── NotSigned              e.p.trust          a signature was required
├── Expired                    e.p.req.time
├── UnexpectedMessage          e.p.req            a protocol does not allow this message now
└── NoRoute                    e.p.xfer           nobody here takes messages for this recipient

The codes are those of the DIDComm v2.1 problem-report protocol (sorter.scope.descriptor).
"""

from __future__ import annotations

from typing import ClassVar


class DidcommError(Exception):
    """`code` is stable and documented; `problem_code` goes into a problem report; `hint` says what to do."""

    code: ClassVar[str] = "didcomm-error"
    problem_code: ClassVar[str] = "e.p.msg"
    default_hint: ClassVar[str] = "ask the sender to send the message again"

    def __init__(self, what: str = "", hint: str = "") -> None:
        self.what = what or (type(self).__doc__ or self.code).split("\n", maxsplit=1)[0]
        self.hint = hint or self.default_hint
        super().__init__(self.what)

    def __str__(self) -> str:
        return self.what


class Malformed(DidcommError):
    """The bytes are not what they should be."""

    code = "malformed"
    default_hint = "the sender's software must follow DIDComm v2.1; show it this message"


class BadEncoding(Malformed):
    """Text that is not in the encoding it should have."""

    code = "bad-encoding"


class BadJson(Malformed):
    """Text that is not acceptable JSON."""

    code = "bad-json"


class BadMessage(Malformed):
    """JSON that is not a DIDComm plaintext message."""

    code = "bad-message"


class UnsupportedMessage(BadMessage):
    """A message of a type that is not understood here."""

    code = "unsupported-message"
    problem_code = "e.p.msg.unsupported"
    default_hint = "ask with discover features which protocols are understood"


class BadEnvelope(Malformed):
    """An envelope that DIDComm does not allow."""

    code = "bad-envelope"


class BadInvitation(Malformed):
    """An invitation that cannot be read."""

    code = "bad-invitation"
    default_hint = "copy the whole link again, or ask for a new invitation"


class LimitExceeded(Malformed):
    """Larger, deeper or more than a named limit allows."""

    code = "didcomm-limit-exceeded"
    problem_code = "e.p.me.res"
    default_hint = "send less at once; docs/reference/limits.md names every limit"


class DidError(DidcommError):
    """A DID cannot be used."""

    code = "did-error"
    problem_code = "e.p.did"
    default_hint = "ask the other side for a new invitation"


class BadDid(DidError):
    """Not a DID, or a document that contradicts its DID."""

    code = "bad-did"


class UnsupportedDid(DidError):
    """A DID method or key type that is not known here."""

    code = "unsupported-did"
    default_hint = "use did:peer, did:key, did:jwk or did:web"


class UnknownDid(DidError):
    """A did:peer:4 short form whose long form was never seen."""

    code = "unknown-did"
    default_hint = "the other side must send its long form did:peer:4 first"


class NotFetched(UnknownDid):
    """A did:web whose document has to be fetched first."""

    code = "did-not-fetched"
    default_hint = "fetch `url` and hand it to Resolver.learn_document, then try again"

    def __init__(self, what: str = "", hint: str = "", *, did: str = "", url: str = "") -> None:
        super().__init__(what, hint)
        self.did = did
        self.url = url


class CryptoFailed(DidcommError):
    """Cryptography says no."""

    code = "crypto-failed"
    problem_code = "e.p.trust.crypto"


class UnsupportedAlgorithm(CryptoFailed):
    """An algorithm or header that is refused here."""

    code = "unsupported-algorithm"
    default_hint = "docs/reference/didcomm.md lists the algorithms that are understood"


class BadKey(CryptoFailed):
    """A key that must not be used."""

    code = "bad-key"


class BadSignature(CryptoFailed):
    """The signature does not belong to this text and key."""

    code = "bad-signature"
    default_hint = "the text was changed on its way, or signed by somebody else; do not trust it"


class DecryptionFailed(CryptoFailed):
    """The envelope cannot be decrypted."""

    code = "decryption-failed"


class NoKeyForRecipient(CryptoFailed):
    """None of the envelope's recipients is ours."""

    code = "no-key-for-recipient"
    default_hint = "the message was sent to a key that is not, or no longer, held here"


class Untrusted(DidcommError):
    """The envelope does not prove what the message claims."""

    code = "untrusted"
    problem_code = "e.p.trust"
    default_hint = "do not act on the message; its sender is not who it claims to be"


class SenderMismatch(Untrusted):
    """The message's `from` is not who the envelope proves."""

    code = "sender-mismatch"


class RecipientMismatch(Untrusted):
    """The message's `to` does not name the recipient that decrypted it."""

    code = "recipient-mismatch"
    default_hint = "do not act on the message; it was meant for somebody else"


class BadRotation(Untrusted):
    """A `from_prior` that does not prove what it says."""

    code = "bad-rotation"
    default_hint = "go on using the DID that was known before; the change is not proven"


class NotSigned(Untrusted):
    """A signature is required and there is none."""

    code = "not-signed"
    default_hint = "ask for a signed invitation, or accept an unsigned one explicitly"


class Expired(DidcommError):
    """The message's `expires_time` has passed."""

    code = "message-expired"
    problem_code = "e.p.req.time"
    default_hint = "ask the sender for a new one; if it is new, compare the clocks"


class UnexpectedMessage(DidcommError):
    """The protocol does not allow this message now."""

    code = "unexpected-message"
    problem_code = "e.p.req"
    default_hint = "the two sides disagree about how far they are; start again with a new invitation"


class NoRoute(DidcommError):
    """Nobody here takes messages for this recipient."""

    code = "no-route"
    problem_code = "e.p.xfer"
    default_hint = "the recipient must register its DID with the mediator first"
