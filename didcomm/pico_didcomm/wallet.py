"""Keys of any number of DIDs, in memory: who signs, who encrypts, who decrypts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pico_didcomm.curves import CURVES
from pico_didcomm.did.document import DidDocument, canonical_did, canonical_kid, did_of
from pico_didcomm.errors import BadKey
from pico_didcomm.keys import KeyPair, NamedKey


class Wallet:
    """`Party` and `Secrets` for keys that are held in memory, on whatever curves.

    Keys to sign and keys to agree are given apart, because on P-256 a key could do both and the DID document
    says which it is for. Each kind is in the order in which the wallet prefers to use its keys.
    """

    def __init__(self, *, signing: Iterable[NamedKey] = (), agreement: Iterable[NamedKey] = ()) -> None:
        self._signing: dict[str, NamedKey] = {canonical_kid(key.kid): key for key in signing}
        self._agreement: dict[str, NamedKey] = {canonical_kid(key.kid): key for key in agreement}

    def add(self, document: DidDocument, pairs: Collection[KeyPair]) -> None:
        """Holds the pairs whose keys `document` lists, under its names and in its order; not the others."""
        by_public = {pair.public_key: pair for pair in pairs}
        for names, keys, use in (
            (document.authentication, self._signing, "sign"),
            (document.key_agreement, self._agreement, "agree"),
        ):
            for name in names:
                pair = by_public.get(document.keys[name]) if name in document.keys else None
                if pair is not None and getattr(CURVES[pair.curve], use) is not None:
                    kid = f"{canonical_did(document.did)}#{name}"
                    keys[kid] = NamedKey(kid, pair)

    def remove(self, did: str) -> None:
        """Forgets every key of a DID; nothing happens if there is none."""
        for keys in (self._signing, self._agreement):
            for kid in [kid for kid in keys if did_of(kid) == canonical_did(did)]:
                del keys[kid]

    def find(self, kid: str) -> KeyPair | None:
        """The key pair to decrypt with that `kid` names."""
        key = self._agreement.get(canonical_kid(kid))
        return None if key is None else key.pair

    def signing_key(self, did: str) -> NamedKey:
        """The first key of `did` that signs; BadKey when there is none."""
        return _named(did, self._signing)[0]

    def agreement_keys(self, did: str) -> Sequence[NamedKey]:
        """The keys of `did` that agree; BadKey when there are none."""
        return _named(did, self._agreement)


def _named(did: str, keys: dict[str, NamedKey]) -> list[NamedKey]:
    """The keys of a DID, named under the form of it that was asked for."""
    short = canonical_did(did)
    found = [(kid, key.pair) for kid, key in keys.items() if did_of(kid) == short]
    if not found:
        raise BadKey(f"no key of {did[:64]} for this in the wallet", "add it to the wallet")
    return [NamedKey(did + kid[len(short) :], pair) for kid, pair in found]
