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
        self._asked: dict[tuple[str, bool], list[NamedKey]] = {}  # what was asked for before, until a change

    def add(self, document: DidDocument, pairs: Collection[KeyPair]) -> None:
        """Holds the pairs whose keys `document` lists, under its names and in its order; not the others."""
        self._asked.clear()
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
        self._asked.clear()
        for keys in (self._signing, self._agreement):
            for kid in [kid for kid in keys if did_of(kid) == canonical_did(did)]:
                del keys[kid]

    def find(self, kid: str) -> KeyPair | None:
        """The key pair to decrypt with that `kid` names."""
        key = self._agreement.get(canonical_kid(kid))
        return None if key is None else key.pair

    def signing_key(self, did: str) -> NamedKey:
        """The first key of `did` that signs; BadKey when there is none."""
        return self._named(did, signs=True)[0]

    def agreement_keys(self, did: str) -> Sequence[NamedKey]:
        """The keys of `did` that agree; BadKey when there are none."""
        return self._named(did, signs=False)

    def _named(self, did: str, *, signs: bool) -> list[NamedKey]:
        """The keys of a DID, named under the form of it that was asked for."""
        keys = self._asked.get((did, signs))
        if keys is None:
            short = canonical_did(did)
            held = self._signing if signs else self._agreement
            keys = [
                NamedKey(did + kid[len(short) :], k.pair) for kid, k in held.items() if did_of(kid) == short
            ]
            if not keys:
                raise BadKey(f"no key of {did[:64]} for this in the wallet", "add it to the wallet")
            self._asked[did, signs] = keys
        return keys
