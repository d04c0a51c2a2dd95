"""Installing KRL rulesets from URLs, flushing them, and what has to hold between a pico's rulesets.

Fetching is an effect of the turn that installs: the turn waits, the node's edge asks. A flush fetches once;
every other pico that uses the URL is told in the commit of the turn that flushed (`engine:ruleset_flushed`)
and takes the new source at its next turn, before anything else. How far event expressions had come is kept
where a rule's expression is the same (see `expressions.progress`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pico_engine.definition import RulesetDefinition
from pico_engine.errors import BadRequest, EngineError, FetchFailed, UnknownRuleset
from pico_engine.library import Edition
from pico_engine.nesting import begin_ruleset
from pico_engine.values import FrozenMap, Json, freeze

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.pico import Pico

URL_MAX_CHARS: Final = 2_048
"""Longer ones are refused by many servers, too."""
WARNINGS_LOGGED_MAX: Final = 20
"""Warnings of one source in the log, which has room for other things; who asked is told all of them."""
SCHEMES: Final = ("file", "http", "https")
REPLACEABLE: Final = frozenset({"io.picolabs.pds", "io.picolabs.did-o"})
"""Ids of rulesets in Python in whose place a pico may have one in KRL: applications bring their own."""
FLUSHED: Final = ("engine", "ruleset_flushed")
"""The event by which a pico learns that one of its URLs was flushed."""


def check_url(url: Json) -> str:
    """A URL that a ruleset can come from. Raises BadRequest."""
    if not isinstance(url, str) or not url:
        raise BadRequest(
            "a ruleset's URL is text", "for instance https://example.org/rulesets/org.example.krl"
        )
    if len(url) > URL_MAX_CHARS or not url.isprintable() or not url.isascii():
        raise BadRequest(f"a ruleset's URL is at most {URL_MAX_CHARS} printable ASCII characters")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadRequest(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in SCHEMES or not (parts.netloc if parts.scheme != "file" else parts.path):
        raise BadRequest(f"{url!r} is no URL of a ruleset", "begin it with https://, http:// or file://")
    return url.partition("#")[0]


def sibling(absolute_url: str, rid: str) -> str:
    """The URL of the ruleset `rid` beside another one, in the file that bears its id."""
    return f"{absolute_url.rpartition('/')[0]}/{rid}.krl"


class Installing:
    """What installs, changes and checks the rulesets of picos. All of it is part of the turn that asks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- fetching -----------------------------------------------------------------------------------------

    def flush(self, pico: Pico, url: str) -> Edition:
        """Fetch and compile what is at a URL; whoever uses it takes it. The turn of `pico` waits meanwhile.

        Raises BadRequest, EgressDenied, FetchFailed, RulesetDefinitionError, LimitExceeded; nothing has
        changed then.
        """
        engine = self._engine
        engine.check_may_write(pico)
        url = check_url(url)
        text = engine.waiting.fetch_ruleset(pico, url)
        if not isinstance(text, str):
            raise FetchFailed(f"{url} gave no text")
        return self.take_text(pico, url, text)

    def take_text(self, pico: Pico, url: str, text: str) -> Edition:
        """`text` is what is at the URL now. Raises as `flush`."""
        engine, library = self._engine, self._engine.library
        definition = library.compile(text, url).definition
        for did, rid in library.users_of(url):
            if did == pico.did and rid != definition.rid:
                raise BadRequest(
                    f"{url} holds the ruleset {definition.rid} now; this pico has {rid} from there",
                    f"uninstall {rid} first, or put the other ruleset at a URL of its own",
                )
        if definition.rid in pico.installed.rows and pico.installed.rows[definition.rid].get("url") == url:
            self.check_modules(pico, definition)
        for warning in library.warnings(text, url)[:WARNINGS_LOGGED_MAX]:
            engine.log(pico, "warning", definition.rid, warning.partition("\n")[0], engine.now)
        edition = Edition(url, library.keep(text), definition.rid, engine.now, self.is_granted(pico, url))
        library.publish(edition)
        for did, _ in library.users_of(url):
            if did == pico.did:
                self.take_up(pico, url)
            else:
                other = engine.loaded_or_stored(did)
                if other is not None:
                    engine.tell(other, *FLUSHED, freeze({"url": url, "rid": definition.rid}))
        return edition

    def is_granted(self, pico: Pico, url: str) -> bool:
        """May the URL be fetched wherever it leads? Where the owner named it, in this turn or once before."""
        if pico.turn is not None and url in pico.turn.granted:
            return True
        known = self._engine.library.edition(url)
        return known is not None and known.granted

    def edition(self, pico: Pico, url: str) -> Edition:
        """What is known of the URL; fetched if nothing is."""
        return self._engine.library.edition(check_url(url)) or self.flush(pico, url)

    # -- installing ---------------------------------------------------------------------------------------

    def install(self, pico: Pico, url: str, config: Mapping[str, Json]) -> dict[str, Json]:
        """Install what is at a URL: what the node knows of it already, else what is fetched.

        An id that a Python ruleset of the node has belongs to that one, save some. Raises as `flush`.
        """
        engine = self._engine
        edition = self.edition(pico, url)
        if edition.rid not in REPLACEABLE and engine.registry.find(edition.rid) is not None:
            return engine.family.install(pico, edition.rid, config)
        definition = engine.library.find(edition.hash, edition.url)
        if definition is None:
            edition = self.flush(pico, url)
            definition = engine.library.find(edition.hash, edition.url)
        if definition is None:
            raise UnknownRuleset(f"{url}: {engine.library.problem(edition.hash)}")
        self.check_modules(pico, definition)
        known: FrozenMap | None = pico.installed.get(edition.rid)
        mark = len(engine.ledger.journal)
        row = engine.family.new_row(pico, definition, config)
        if known is not None and known.get("url") not in (None, edition.url):
            engine.library.leave(pico.did, edition.rid, known["url"])
        engine.library.use(pico.did, edition.rid, edition.url, edition.hash)
        pico.installed.put(edition.rid, freeze({**row, "url": edition.url, "hash": edition.hash}))
        self._drop_old_progress(pico, definition)
        begin_ruleset(pico, definition, mark)
        return {"rid": edition.rid, "config": dict(config), "version": definition.version, "url": edition.url}

    def take_up(self, pico: Pico, url: Json) -> None:
        """Run the newest source of a URL from now on. What does not fit this pico is logged, not taken."""
        engine = self._engine
        edition = engine.library.edition(url) if isinstance(url, str) else None
        row = pico.installed.get(edition.rid) if edition is not None else None
        if edition is None or row is None or row.get("url") != url:
            return
        if row["hash"] == edition.hash:
            pico.forget_dispatch()  # its source may have been lost, and is there again
            return
        try:
            definition = engine.library.find(edition.hash, url)
            if definition is None:
                raise UnknownRuleset(engine.library.problem(edition.hash))
            self.check_modules(pico, definition)
            mark = len(engine.ledger.journal)
            changed = {**row, "hash": edition.hash, "version": definition.version}
            pico.installed.put(edition.rid, freeze(changed))
            engine.library.use(pico.did, edition.rid, url, edition.hash)
            self._drop_old_progress(pico, definition)
            begin_ruleset(pico, definition, mark)
        except EngineError as error:
            text = f"{url} was flushed, but its new version is not taken: {error}"
            engine.log(pico, "error", edition.rid, text, engine.now)

    def _drop_old_progress(self, pico: Pico, definition: RulesetDefinition) -> None:
        """Forget how far event expressions had come that are different now, or gone."""
        prints = {f"{definition.rid}/{rule.name}": rule.machine.fingerprint for rule in definition.rules}
        for key, progress in list(pico.progress.rows.items()):
            if key.startswith(f"{definition.rid}/") and prints.get(key) != progress.machine:
                pico.progress.delete(key)

    # -- modules ------------------------------------------------------------------------------------------

    def check_modules(self, pico: Pico, definition: RulesetDefinition) -> None:
        """Every module that a ruleset uses is installed in the pico, and none uses it in turn.

        Raises BadRequest.
        """
        graph = {one.rid: one.uses for one in pico.definitions()}
        graph[definition.rid] = definition.uses
        for rid in definition.uses:
            if rid not in pico.installed.rows and rid != definition.rid:
                raise BadRequest(
                    f"Dependant module not loaded: {rid}. Ruleset {definition.rid} uses it, and it is not "
                    f"installed in pico {pico.did}",
                    f"install {rid} first",
                )
        cycle = _cycle_from(definition.rid, graph)
        if cycle:
            raise BadRequest(
                f"Dependency Cycle Found: {' -> '.join(cycle)}",
                "put what both need into a third ruleset",
            )


def _cycle_from(start: str, graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The way from `start` back to it along what uses what; [] when there is none."""
    came_from: dict[str, str] = {}
    stack = [start]
    while stack:
        here = stack.pop()
        for rid in graph.get(here, ()):
            if rid == start:
                way = [start]
                while here != start:
                    way.append(here)
                    here = came_from[here]
                return [start, *reversed(way)]
            if rid not in came_from:
                came_from[rid] = here
                stack.append(rid)
    return []
