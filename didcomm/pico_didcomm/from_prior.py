"""Change of DID (`from_prior`): a JWT by the prior DID that names its successor, or says that there is none.

The JWT proves that the prior DID agreed to the change; that the prior DID is one that the receiver has a
relationship with is the receiver's to check. It names no audience, so whoever received one can show it to
others: where a relationship may be ended, use DIDs that no third party knows (did:peer).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pico_didcomm.did.document import canonical_did, canonical_kid, check_did, did_of, owner_of
from pico_didcomm.did.peer4 import is_long_form
from pico_didcomm.did.resolver import DidResolver
from pico_didcomm.encoding import JsonObject, json_bytes, strict_json_object
from pico_didcomm.errors import BadDid, BadRotation
from pico_didcomm.jws import Jws, make_compact, parse_compact
from pico_didcomm.keys import NamedKey
from pico_didcomm.message import did_of_url

JWT_TYPE: Final = "JWT"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A proven change: DIDs in canonical form, the time in seconds since 1970. `new` is None for an end.

    `prior_did` is the prior DID as it was written, which for a did:peer:4 may be its long form.
    """

    prior: str
    new: str | None
    rotated_at: int
    kid: str
    prior_did: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A `from_prior` taken apart and checked against itself; its signature is not verified yet."""

    jws: Jws
    iss: str
    sub: str | None
    iat: int
    members: JsonObject

    @property
    def kid(self) -> str:
        """The key that is said to have signed it, a key of `iss`."""
        return self.jws.signatures[0].kid

    def check_signature(self, resolver: DidResolver) -> None:
        """Returns when a key that authenticates `iss` made the signature."""
        document = resolver.resolve(self.iss if is_long_form(self.iss) else did_of(self.kid))
        self.jws.signatures[0].check(document.authentication_key(self.kid), self.jws.payload)

    def check_times(self, now_ms: int) -> None:
        """Returns when `exp` and `nbf`, which need not be there, allow the JWT now (RFC 7519, 4.1)."""
        if "exp" in self.members and self.members["exp"] * 1000 <= now_ms:
            raise BadRotation("a from_prior that has expired")
        if "nbf" in self.members and self.members["nbf"] * 1000 > now_ms:
            raise BadRotation("a from_prior that is not valid yet")

    def check_audience(self, recipients: Collection[str]) -> None:
        """Returns when `aud`, which need not be there, names one of `recipients`, DIDs in canonical form."""
        if "aud" not in self.members:
            return
        audience = self.members["aud"]
        names = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(name, str) and canonical_did(name) in recipients for name in names):
            raise BadRotation("a from_prior that was made for somebody else")


def make_from_prior(prior: NamedKey, new_did: str | None, rotated_at: int) -> str:
    """The JWT for the `from_prior` header.

    `prior` is a key that authenticates the prior DID; `rotated_at` the time of the change, not of the message
    (seconds since 1970). `new_did` is the `from` of the messages that carry it. Without a new DID it ends the
    relationship: send it in a message without `from`, in an anoncrypt.
    """
    claims: JsonObject = {"iss": did_of(prior.kid), "iat": rotated_at}
    if new_did is not None:
        claims = {"sub": new_did, **claims}
    text = make_compact(json_bytes(claims), prior, JWT_TYPE)
    read_from_prior(text)
    return text


def read_from_prior(text: str) -> Claim:
    """Takes a `from_prior` apart. BadRotation for claims that no signature could prove."""
    jws = parse_compact(text, JWT_TYPE)
    members = strict_json_object(jws.payload_bytes, "a from_prior")
    try:
        iss = check_did(members.get("iss"))
        sub = check_did(members["sub"]) if "sub" in members else None
    except BadDid as error:
        raise BadRotation(f"a from_prior with a wrong iss or sub: {error}") from error
    for name in ("iat", "exp", "nbf"):
        if (name in members or name == "iat") and type(members.get(name)) is not int:
            raise BadRotation(f"a from_prior whose {name} is not a time in whole seconds")
    if sub is not None and canonical_did(sub) == canonical_did(iss):
        raise BadRotation("a from_prior from a DID to itself")
    if owner_of(jws.signatures[0].kid) != canonical_did(iss):
        raise BadRotation("a from_prior that the prior DID did not sign")
    return Claim(jws, iss, sub, members["iat"], members)


def check_from_prior(
    text: str, from_: str | None, recipients: Collection[str], resolver: DidResolver, now_ms: int
) -> Rotation:
    """The change that `text` proves, for an encrypted message with this `from`.

    The prior DID is looked up only after everything else fits. BadRotation, BadSignature, a DidError.
    """
    claim = read_from_prior(text)
    if claim.sub is None and from_ is not None:
        raise BadRotation("a from_prior that ends a relationship, in a message that has a from")
    if claim.sub is not None and (from_ is None or did_of_url(from_) != canonical_did(claim.sub)):
        raise BadRotation("a from_prior for another DID than the message's from")
    claim.check_times(now_ms)
    claim.check_audience(recipients)
    claim.check_signature(resolver)
    new = None if claim.sub is None else canonical_did(claim.sub)
    return Rotation(canonical_did(claim.iss), new, claim.iat, canonical_kid(claim.kid), claim.iss)
