"""The library: sources of KRL rulesets by their hash, the newest of each URL, and which picos use it.

Theory of operation. A pico's installed row names the URL and the hash of a KRL ruleset; the source lies here
under its hash, so that two picos may run two versions of one ruleset. Rows:

    k/t/HASH           the source
    k/u/KEY            {url, hash, rid, flushed}: what the URL gave when it was last fetched
    k/w/KEY/DID/RID    the hash that this pico runs

KEY is the digest of the URL. The last kind is written in the commit of the turn that installs. The others are
true whatever becomes of that turn; they are written aside, into the same batch or one before it. What nobody
uses any more goes when much new was written (`prune`). Nothing is compiled before a pico needs it.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from pico_engine.errors import EngineError, LimitExceeded, RulesetMissing
from pico_engine.ledger import Section
from pico_engine.values import FrozenMap, Json, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pico_engine.definition import RulesetDefinition
    from pico_engine.ledger import Ledger
    from pico_engine.limits import EngineLimits
    from pico_engine.registry import Compiled, Registry

TEXTS: Final = b"k/t/"
URLS: Final = b"k/u/"
USERS: Final = b"k/w/"

COMPILED_MAX: Final = 1_000
"""Compiled rulesets held in memory; a pico that needs another one has it compiled again."""
PRUNE_AFTER: Final = 64
"""New sources after which the library looks for those that nobody uses any more."""
KEPT_UNUSED_MS: Final = 3_600_000
"""A source that was fetched an hour ago and is installed nowhere goes; a newer one may be about to be."""


class Edition(NamedTuple):
    """What a URL gave when it was last fetched."""

    url: str
    hash: str
    rid: str
    flushed_ms: int
    granted: bool = False
    """Did the node's owner name the URL? Then it may be fetched again though rulesets may not ask there."""

    def to_json(self) -> dict[str, Json]:
        row = {"url": self.url, "hash": self.hash, "rid": self.rid, "flushed": self.flushed_ms}
        return {**row, "granted": True} if self.granted else row


def _edition(data: bytes) -> Edition:
    row = decode(data)
    return Edition(row["url"], row["hash"], row["rid"], row["flushed"], row.get("granted", False))


def hash_of(text: str) -> str:
    """The name of a source: lower-case hexadecimal SHA-256 of its UTF-8 bytes."""
    return sha256(text.encode()).hexdigest()


def _key(url: str) -> str:
    return blake2b(url.encode(), digest_size=16).hexdigest()


class Library:
    """Sources and editions of KRL rulesets, and their compiled forms as they are needed."""

    def __init__(self, ledger: Ledger, registry: Registry, limits: EngineLimits) -> None:
        self._ledger = ledger
        self._registry = registry
        self._limits = limits
        self.users = Section(ledger, USERS, lazy=True)
        self._compiled: dict[str, Compiled] = {}
        self._problems: dict[str, str] = {}
        self._new_texts = 0

    # -- sources ------------------------------------------------------------------------------------------

    def text(self, digest: str) -> str | None:
        """The source with this hash; None when the store does not have it."""
        data = self._ledger.get(TEXTS + digest.encode())
        return None if data is None else str(decode(data))

    def keep(self, text: str) -> str:
        """Keep a source; answers its hash."""
        digest = hash_of(text)
        key = TEXTS + digest.encode()
        if self._ledger.get(key) is None:
            self._ledger.write_aside(key, encode(text))
            self._new_texts += 1
        return digest

    def compile(self, text: str, url: str) -> Compiled:
        """Compile a source, or take what was compiled. Raises RulesetDefinitionError, LimitExceeded."""
        size, most = len(text.encode()), self._limits.ruleset_max_bytes
        if size > most:
            raise LimitExceeded(f"{url} has {size:,} bytes; ruleset_max_bytes is {most:,}")
        digest = hash_of(text)
        known = self._compiled.get(digest)
        if known is None:
            known = self._registry.compiler(text, url)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[digest] = known
            self._problems.pop(digest, None)
        return known

    def warnings(self, text: str, url: str) -> list[str]:
        """What the compiler has to say of a source, for people. Raises as `compile`."""
        return [one.render(text, url) for one in self.compile(text, url).warnings]

    def find(self, digest: str, url: str) -> RulesetDefinition | None:
        """The ruleset whose source has this hash, compiled when it is first needed; None: see `problem`."""
        known = self._compiled.get(digest)
        if known is not None:
            return known.definition
        if digest in self._problems:
            return None
        text = self.text(digest)
        if text is None:
            self._problems[digest] = "its source is not in this node's store"
            return None
        try:
            return self.compile(text, url).definition
        except EngineError as error:
            self._problems[digest] = f"its source cannot be compiled any more: {error}"
            return None

    def problem(self, digest: str) -> str:
        """Why `find` found nothing."""
        return self._problems.get(digest, "it is not there")

    def forget_problems(self) -> None:
        """Let what could not be found or compiled be tried again."""
        self._problems.clear()

    # -- URLs ---------------------------------------------------------------------------------------------

    def edition(self, url: str) -> Edition | None:
        """What the URL gave when it was last fetched; None when it never was."""
        data = self._ledger.get(URLS + _key(url).encode())
        if data is None:
            return None
        return _edition(data)

    def editions(self) -> Iterator[Edition]:
        """Of all URLs."""
        for _, data in self._ledger.scan(URLS, URLS + b"\xff"):
            yield _edition(data)

    def publish(self, edition: Edition) -> None:
        """Remember what a URL gave. Raises LimitExceeded for one URL too many."""
        key = URLS + _key(edition.url).encode()
        most = self._limits.ruleset_urls_max
        if self._ledger.get(key) is None and sum(1 for _ in self._ledger.scan(URLS, URLS + b"\xff")) >= most:
            raise LimitExceeded(f"the node knows {most:,} ruleset URLs already (ruleset_urls_max)")
        self._ledger.write_aside(key, encode(edition.to_json()))

    # -- who uses what ------------------------------------------------------------------------------------

    def use(self, did: str, rid: str, url: str, digest: str) -> None:
        """A pico runs this source from now on; part of the turn at hand."""
        self.users.put(f"{_key(url)}/{did}/{rid}", digest)

    def leave(self, did: str, rid: str, url: str) -> None:
        """A pico does not use the URL any more; part of the turn at hand."""
        self.users.delete(f"{_key(url)}/{did}/{rid}")

    def users_of(self, url: str) -> list[tuple[str, str]]:
        """(DID, rid) of each pico that has the ruleset at this URL installed."""
        key = _key(url)
        found = []
        for row_key, _ in self.users.scan(f"{key}/", f"{key}0"):
            _, did, rid = row_key.split("/", 2)
            found.append((did, rid))
        return found

    def prune(self, now: int) -> None:
        """Delete what nobody uses, if much was added. Only while no turn is unfinished."""
        if self._new_texts < PRUNE_AFTER:
            return
        self._new_texts = 0
        used_urls, live = set(), set()
        for key, digest in self.users.scan():
            used_urls.add(key.partition("/")[0])
            live.add(digest)
        for full, data in list(self._ledger.scan(URLS, URLS + b"\xff")):
            row = decode(data)
            if full[len(URLS) :].decode() in used_urls or row["flushed"] > now - KEPT_UNUSED_MS:
                live.add(row["hash"])
            else:
                self._ledger.write_aside(full, None)
        for full, _ in list(self._ledger.scan(TEXTS, TEXTS + b"\xff")):
            if full[len(TEXTS) :].decode() not in live:
                self._ledger.write_aside(full, None)


def missing(did: str, rid: str, row: FrozenMap, library: Library) -> RulesetMissing:
    """The error of a pico with an installed ruleset that cannot be had here, with the reason."""
    digest = row.get("hash")
    if digest is None:
        return RulesetMissing(f"pico {did} has the ruleset {rid} installed, which this node does not have")
    return RulesetMissing(
        f"pico {did} has the ruleset {rid} installed from {row['url']}; {library.problem(digest)}",
        "install it again from its URL, or flush the URL, or uninstall it; nothing was lost",
    )
