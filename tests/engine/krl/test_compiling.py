"""`compile_ruleset` says all that is wrong, and the cache saves the work."""

from __future__ import annotations

import pytest

from pico_engine.krl import CompileCache, KrlSyntaxError, compile_ruleset
from pico_engine.limits import KrlLimits
from tests.engine.krl.picos import ruleset


def test_all_errors_at_once_with_their_places() -> None:
    with pytest.raises(KrlSyntaxError) as caught:
        compile_ruleset("ruleset a {\n global { x = y\n z = w }\n}", url="file:///x.krl")
    assert [one.code for one in caught.value.diagnostics] == ["undefined-name", "undefined-name"]
    assert caught.value.what.startswith("file:///x.krl:2:15: ")
    with pytest.raises(KrlSyntaxError):
        compile_ruleset("")


def test_limits_are_settable() -> None:
    text = ruleset(f"global {{ x = {'(' * 30}1{')' * 30} }}")
    compile_ruleset(text)
    with pytest.raises(KrlSyntaxError, match="10 levels"):
        compile_ruleset(text, limits=KrlLimits(nesting_max_levels=10))


def test_the_cache_is_asked_first_and_told_afterwards() -> None:
    kept: dict[str, bytes] = {}
    cache = CompileCache(kept.get, kept.__setitem__)
    text = ruleset("global { x = 1 }", "shares x")
    first = cache.compile(text)
    assert len(kept) == 1
    second = CompileCache(kept.get, lambda key, data: pytest.fail("it was there")).compile(text)
    assert second.hash == first.hash
    assert second.definition.meta == first.definition.meta
    (key,) = kept
    kept[key] = b"rubbish"
    assert cache.compile(text).hash == first.hash
    assert kept[key] != b"rubbish"


def test_a_ruleset_from_the_cache_has_its_warnings() -> None:
    kept: dict[str, bytes] = {}
    text = ruleset('rule r { select when a b send_directive(event:attr("x")) }')
    first = CompileCache(kept.get, kept.__setitem__).compile(text)
    assert [one.code for one in first.warnings] == ["old-attr"]
    assert CompileCache(kept.get, kept.__setitem__).compile(text).warnings == first.warnings
