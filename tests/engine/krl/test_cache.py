"""Compiled rulesets as bytes."""

from __future__ import annotations

import pytest

from pico_engine.krl import cache, compile_ruleset
from pico_engine.krl.cache import cache_key, dump, load
from pico_engine.krl.program import definition_of
from tests.engine.krl.picos import ruleset

TEXT = ruleset(
    'rule r { select when a b x re#^(.)#i setting(y) where y > "a" send_directive("d") }', 'name "é"'
)


def test_a_program_comes_back() -> None:
    compiled = compile_ruleset(TEXT)
    program, warnings = load(dump(compiled.program, TEXT), TEXT)
    assert warnings == ()
    assert program.blueprint == compiled.program.blueprint
    assert definition_of(program).meta == compiled.definition.meta


def test_only_the_bytes_of_this_very_source_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dump(compile_ruleset(TEXT).program, TEXT)
    assert load(data, TEXT + " ") is None
    assert load(data[:-1], TEXT) is None
    assert load(data[:-1] + b"x", TEXT) is None
    assert load(b"", TEXT) is None
    assert load(b"\x00" * 1_000, TEXT) is None
    key = cache_key(TEXT)
    monkeypatch.setattr(cache, "COMPILER_VERSION", 999)
    assert cache_key(TEXT) != key
    assert load(data, TEXT) is None


def test_warnings_come_back() -> None:
    text = ruleset('rule r { select when a b send_directive(event:attr("x")) }')
    compiled = compile_ruleset(text)
    assert [one.code for one in compiled.warnings] == ["old-attr"]
    _, warnings = load(dump(compiled.program, text, compiled.warnings), text)
    assert warnings == compiled.warnings
    assert warnings[0].render(text, "x.krl") == compiled.warnings[0].render(text, "x.krl")
