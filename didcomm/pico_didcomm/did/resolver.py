"""Finds the document of a DID: a table of methods, what was learned about hashes, a bounded cache.

Documents come from three places. Most DIDs carry theirs (`METHODS`); that is computed, and can never be out
of date. Hashes (did:peer:1, 3 and the short form of 4) need what they are the hash of, which the other side
sent once (`learn`). A did:web's document has to be fetched, which is not done here: `resolve` raises
`NotFetched` with the URL, the edge fetches it under its egress policy and hands it in with its lifetime
(`learn_document`), and tries again. Time matters only there, so `at(now_ms)` gives the resolver of a moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from pico_didcomm.did.document import DidDocument, check_did
from pico_didcomm.did.jwk import resolve_did_jwk
from pico_didcomm.did.key import resolve_did_key
from pico_didcomm.did.peer import PEER_2, peer_3_of_peer_2, resolve_peer_0, resolve_peer_2
from pico_didcomm.did.peer4 import (
    PEER_4,
    is_long_form,
    resolve_peer_4,
    resolve_peer_4_short,
    short_form_of,
)
from pico_didcomm.did.peer_hashed import PEER_1, PEER_3, resolve_peer_1, resolve_peer_3
from pico_didcomm.did.web import PREFIX as WEB
from pico_didcomm.did.web import did_web_url, read_did_web
from pico_didcomm.errors import BadDid, DidError, NotFetched, UnknownDid, UnsupportedDid

Method = Callable[[str], DidDocument]

METHODS: Final[Mapping[str, Method]] = {
    "did:key:": resolve_did_key,
    "did:jwk:": resolve_did_jwk,
    "did:peer:0": resolve_peer_0,
    "did:peer:2": resolve_peer_2,
}
"""Methods whose DIDs carry their document, by prefix. did:peer:1, 3, 4 and did:web need what was learned."""

PICO_ENGINE_METHODS: Final[Mapping[str, Method]] = {
    **METHODS,
    "did:peer:2": partial(resolve_peer_2, key_ids="whole"),
}
"""The same, with a did:peer:2's keys named as the existing pico-engine names its own."""

DOCUMENTS_CACHED_MAX: Final = 512
"""A miss costs about 0.2 ms; a document takes about 4 KiB, one that a stranger made as long as allowed 40."""

LEARNED_MAX: Final = 10_000
"""Hashes whose originals are kept; the one learned first goes first. About 1 KiB each."""

LIFETIME_MS_MAX: Final = 24 * 3_600_000
"""A fetched document is believed for a day at most: its keys may have been withdrawn since."""


class DidResolver(Protocol):
    """Whoever resolves DIDs: `Resolver`, or a store of documents of another kind."""

    def resolve(self, did: str) -> DidDocument:
        """The document of `did`; a DidError when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What a fetch gave, a document or the reason why there is none, and until when that counts."""

    found: DidDocument | str
    until_ms: int


class Resolver:
    """Resolves DIDs without I/O.

    Short forms of did:peer:4 are resolved when their long form was learned, or when `find_long_form`
    gives it (a node keeps long forms with its channels and passes a function that reads them).
    """

    def __init__(
        self,
        methods: Mapping[str, Method] = METHODS,
        *,
        find_long_form: Callable[[str], str | None] | None = None,
        documents_cached_max: int = DOCUMENTS_CACHED_MAX,
        learned_max: int = LEARNED_MAX,
    ) -> None:
        self._methods = sorted(methods.items(), key=lambda row: -len(row[0]))
        self._find_long_form = find_long_form
        self._learned: OrderedDict[str, str | bytes] = OrderedDict()
        self._learned_max = learned_max
        self._fetched: OrderedDict[str, _Fetched] = OrderedDict()
        self._cache: OrderedDict[str, DidDocument] = OrderedDict()
        self._cached_max = documents_cached_max

    # -- what was learned ---------------------------------------------------------------------------------

    def learn(self, did: str) -> str:
        """From now on the hash of `did` can be resolved; gives the hash.

        Of a did:peer:4 long form that is its short form, of a did:peer:2 its did:peer:3.
        """
        is_2 = did.startswith(PEER_2)
        short = peer_3_of_peer_2(resolve_peer_2(did).did) if is_2 else short_form_of(did)
        self._keep(short, did)
        return short

    def learn_genesis(self, did: str, genesis: bytes) -> None:
        """From now on the did:peer:1 `did` can be resolved, whose genesis document this is."""
        resolve_peer_1(did, genesis)
        self._keep(did, genesis)

    def learn_document(self, did: str, body: bytes, now_ms: int, lifetime_ms: int) -> DidDocument:
        """What was fetched from the URL of a did:web; it counts for `lifetime_ms`, a day at most.

        A document that is not this DID's raises BadDid, and is remembered as a failure for as long.
        """
        until_ms = now_ms + min(lifetime_ms, LIFETIME_MS_MAX)
        try:
            document = read_did_web(did, body)
        except DidError as error:
            self._keep_fetched(did, _Fetched(error.what, until_ms))
            raise
        self._keep_fetched(did, _Fetched(document, until_ms))
        return document

    def learn_failure(self, did: str, why: str, now_ms: int, lifetime_ms: int) -> None:
        """The document of a did:web could not be fetched: it is not asked for again for `lifetime_ms`."""
        did_web_url(did)
        self._keep_fetched(did, _Fetched(why, now_ms + min(lifetime_ms, LIFETIME_MS_MAX)))

    def forget(self, did: str) -> None:
        """Undo whatever was learned about `did`, a hash or a did:web, and drop the cached document."""
        for kept in (self._learned, self._fetched, self._cache):
            kept.pop(did, None)

    # -- resolving ----------------------------------------------------------------------------------------

    def at(self, now_ms: int) -> DidResolver:
        """The resolver of this moment, which knows the fetched documents that count now."""
        return _Moment(self, now_ms)

    def resolve(self, did: str) -> DidDocument:
        """The document of `did`, which must not have a path, query or fragment.

        Without a time no fetched document counts: use `at(now_ms)` where did:web may occur.
        """
        document = self._cache.get(did)
        if document is not None:
            self._cache.move_to_end(did)
            return document
        document = self._resolve(did)
        self._cache[did] = document
        if len(self._cache) > self._cached_max:
            self._cache.popitem(last=False)
        return document

    def resolve_at(self, did: str, now_ms: int) -> DidDocument:
        """As `resolve`, with the documents that were fetched and count at `now_ms`."""
        if not did.startswith(WEB):
            return self.resolve(did)
        fetched = self._fetched.get(did)
        if fetched is None or fetched.until_ms <= now_ms:
            raise _not_fetched(did)
        if isinstance(fetched.found, str):
            raise BadDid(f"the document of {did[:64]} could not be had: {fetched.found}")
        self._fetched.move_to_end(did)
        return fetched.found

    def _resolve(self, did: str) -> DidDocument:
        check_did(did)
        if did.startswith(PEER_4):
            return resolve_peer_4(did) if is_long_form(did) else self._resolve_short(did)
        if did.startswith((PEER_1, PEER_3)):
            return self._resolve_hash(did)
        for prefix, method in self._methods:
            if did.startswith(prefix):
                return method(did)
        if did.startswith(WEB):
            raise _not_fetched(did)
        raise UnsupportedDid(f"DIDs that begin with {did[:16]!a} are not understood")

    def _resolve_short(self, did: str) -> DidDocument:
        long_did = self._learned.get(did)
        if long_did is None and self._find_long_form is not None:
            long_did = self._find_long_form(did)
        if not isinstance(long_did, str):
            raise UnknownDid
        document = resolve_peer_4_short(long_did)
        if document.did != did:
            raise BadDid("a did:peer:4 long form that belongs to another short form")
        return document

    def _resolve_hash(self, did: str) -> DidDocument:
        original = self._learned.get(did)
        if isinstance(original, bytes):
            return resolve_peer_1(did, original)
        if original is None:
            raise UnknownDid(
                "a did:peer:1 or did:peer:3 whose original was never seen",
                "the other side must send its genesis document, or its did:peer:2, first",
            )
        return resolve_peer_3(did, original)

    def _keep(self, did: str, original: str | bytes) -> None:
        self._learned[did] = original
        self._learned.move_to_end(did)
        if len(self._learned) > self._learned_max:
            oldest, _ = self._learned.popitem(last=False)
            self._cache.pop(oldest, None)

    def _keep_fetched(self, did: str, fetched: _Fetched) -> None:
        self._fetched[did] = fetched
        self._fetched.move_to_end(did)
        if len(self._fetched) > self._cached_max:
            self._fetched.popitem(last=False)


def _not_fetched(did: str) -> NotFetched:
    url = did_web_url(did)
    return NotFetched(f"the document of {did[:128]} has not been fetched", did=did, url=url)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A resolver at one time."""

    resolver: Resolver
    now_ms: int

    def resolve(self, did: str) -> DidDocument:
        return self.resolver.resolve_at(did, self.now_ms)
