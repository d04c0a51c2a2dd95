"""The library of sources: kept by hash, compiled on demand, pruned when nobody uses them."""

from __future__ import annotations

import pytest

from pico_engine import library as module
from pico_engine.errors import LimitExceeded
from pico_engine.ledger import Ledger
from pico_engine.library import Edition, Library, hash_of
from pico_engine.limits import EngineLimits
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from tests.engine.sources import Counted

URL = "https://example.org/a.krl"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(MemoryStore())


@pytest.fixture
def library(ledger: Ledger) -> Library:
    limits = EngineLimits(ruleset_max_bytes=100, ruleset_urls_max=2)
    return Library(ledger, Registry(compiler=Counted()), limits)


def test_the_hash_is_that_of_the_utf8_bytes() -> None:
    assert hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_of("ä") == hash_of("\u00e4")


def test_a_source_stays_when_the_turn_is_undone(library: Library, ledger: Ledger) -> None:
    digest = library.keep("ruleset test.a")
    library.use("did:a", "test.a", URL, digest)
    ledger.rollback()
    assert library.text(digest) == "ruleset test.a"
    assert library.users_of(URL) == []


def test_a_ruleset_is_compiled_once(library: Library) -> None:
    digest = library.keep("ruleset test.a")
    first = library.find(digest, URL)
    assert first is not None
    assert library.find(digest, URL) is first
    assert library.compile("ruleset test.a", URL).definition is first


def test_what_cannot_be_found_says_why_and_is_tried_again(library: Library) -> None:
    assert library.find("00", URL) is None
    assert "not in this node's store" in library.problem("00")
    digest = library.keep("nonsense")
    assert library.find(digest, URL) is None
    assert "cannot be compiled any more" in library.problem(digest)
    library.forget_problems()
    assert library.problem(digest) == "it is not there"


def test_limits(library: Library) -> None:
    with pytest.raises(LimitExceeded, match="ruleset_max_bytes"):
        library.compile("ruleset test.a " + "x" * 100, URL)
    for number in range(2):
        library.publish(Edition(f"{URL}{number}", "h", "r", 1))
    library.publish(Edition(f"{URL}1", "h2", "r", 2))
    with pytest.raises(LimitExceeded, match="ruleset_urls_max"):
        library.publish(Edition(f"{URL}2", "h", "r", 1))
    assert [one.hash for one in sorted(library.editions(), key=lambda one: one.url)] == ["h", "h2"]


def test_compiled_rulesets_in_memory_are_limited(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPILED_MAX", 2)
    first = library.keep("ruleset test.a")
    kept = library.find(first, URL)
    for name in ("b", "c"):
        library.find(library.keep(f"ruleset test.{name}"), URL)
    assert library.find(first, URL) is not kept


def test_sources_that_nobody_uses_are_pruned(library: Library, ledger: Ledger) -> None:
    used, fresh, old = (library.keep(f"ruleset test.{name}") for name in ("a", "b", "c"))
    library.use("did:a", "test.a", URL, used)
    ledger.commit()
    library.publish(Edition("https://example.org/b", fresh, "test.b", 10_000_000))
    library.publish(Edition("https://example.org/c", old, "test.c", 1))
    library.prune(10_000_001)
    assert library.text(old) is not None, "a few are not worth the search"
    for number in range(module.PRUNE_AFTER):
        library.keep(f"ruleset test.x{number}")
    library.prune(10_000_001)
    assert library.text(used) is not None
    assert library.text(fresh) is not None
    assert library.text(old) is None
    assert library.edition("https://example.org/c") is None
    assert library.edition("https://example.org/b") is not None
