"""Finds the document of a DID: a table of methods, the known long forms of did:peer:4, a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pico_didcomm.did.document import DidDocument, check_did
from pico_didcomm.did.key import resolve_did_key
from pico_didcomm.did.peer import resolve_peer_0, resolve_peer_2
from pico_didcomm.did.peer4 import (
    PEER_4,
    is_long_form,
    resolve_peer_4,
    resolve_peer_4_short,
    short_form_of,
)
from pico_didcomm.errors import BadDid, UnknownDid, UnsupportedDid

Method = Callable[[str], DidDocument]

METHODS: Final[Mapping[str, Method]] = {
    "did:key:": resolve_did_key,
    "did:peer:0": resolve_peer_0,
    "did:peer:2": resolve_peer_2,
}
"""Methods whose DIDs carry their document, by prefix. did:peer:4 needs the resolver's own table."""

DOCUMENTS_CACHED_MAX: Final = 512
"""A miss costs about 0.2 ms; a document takes about 4 KiB, one that a stranger made as long as allowed 40."""


class DidResolver(Protocol):
    """Whoever resolves DIDs: `Resolver`, or a store of documents of another kind."""

    def resolve(self, did: str) -> DidDocument:
        """The document of `did`; a DidError when there is none."""
        ...


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
    ) -> None:
        self._methods = sorted(methods.items(), key=lambda row: -len(row[0]))
        self._find_long_form = find_long_form
        self._long_forms: dict[str, str] = {}
        self._cache: OrderedDict[str, DidDocument] = OrderedDict()
        self._cached_max = documents_cached_max

    def learn(self, long_did: str) -> str:
        """From now on the short form of `long_did` can be resolved; gives the short form."""
        short = short_form_of(long_did)
        self._long_forms[short] = long_did
        return short

    def forget(self, short_did: str) -> None:
        """Undo `learn`, and drop the cached document."""
        self._long_forms.pop(short_did, None)
        self._cache.pop(short_did, None)

    def resolve(self, did: str) -> DidDocument:
        """The document of `did`, which must not have a path, query or fragment."""
        document = self._cache.get(did)
        if document is not None:
            self._cache.move_to_end(did)
            return document
        document = self._resolve(did)
        self._cache[did] = document
        if len(self._cache) > self._cached_max:
            self._cache.popitem(last=False)
        return document

    def _resolve(self, did: str) -> DidDocument:
        check_did(did)
        if did.startswith(PEER_4):
            return resolve_peer_4(did) if is_long_form(did) else self._resolve_short(did)
        for prefix, method in self._methods:
            if did.startswith(prefix):
                return method(did)
        raise UnsupportedDid(f"DIDs that begin with {did[:16]!a} are not understood")

    def _resolve_short(self, did: str) -> DidDocument:
        long_did = self._long_forms.get(did)
        if long_did is None and self._find_long_form is not None:
            long_did = self._find_long_form(did)
        if long_did is None:
            raise UnknownDid
        document = resolve_peer_4_short(long_did)
        if document.did != did:
            raise BadDid("a did:peer:4 long form that belongs to another short form")
        return document
