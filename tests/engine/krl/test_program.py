"""From text to a RulesetDefinition."""

from __future__ import annotations

from hashlib import sha256

import pytest

from pico_engine.errors import RulesetDefinitionError
from pico_engine.krl import compile_ruleset, parse
from pico_engine.krl.program import code_of
from pico_engine.krl.verify import verify
from tests.engine.krl.picos import Krl, ruleset

TEXT = """ruleset org.example.all {
  meta {
    name "All of it"
    version "1.2.3"
    description <<
      Long text >>
    author "Somebody"
    use module org.example.other alias other
    shares v, f
    provides f, act
  }
  global { f = function(a, b = 1){ a + b } v = 5 act = defaction(x){ noop() } }
  rule one { select when a b }
  rule two is inactive { select when a b }
  rule three { select when a c before a d within 5 minutes }
}
"""


def test_the_definition_says_what_the_text_says() -> None:
    compiled = compile_ruleset(TEXT)
    definition = compiled.definition
    assert definition.meta == {
        "rid": "org.example.all",
        "version": "1.2.3",
        "name": "All of it",
        "description": "\n      Long text ",
        "author": "Somebody",
        "language": "krl",
        "shares": ["v", "f"],
        "provides": ["f", "act"],
        "rules": ["one", "three"],
    }
    assert definition.uses == compiled.uses == ("org.example.other",)
    assert definition.functions["f"].parameters == ("a", "b")
    assert compiled.hash == sha256(TEXT.encode()).hexdigest()
    assert [one.code for one in compiled.warnings] == ["inactive-rule"]


def test_code_is_verified_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(module: object, names: object) -> None:
        seen.append(module)
        verify(module, names)  # type: ignore[arg-type]

    monkeypatch.setattr("pico_engine.krl.program.verify", watched)
    code_of(parse(TEXT), TEXT)
    assert len(seen) == 1


def test_what_python_cannot_compile_is_an_error_of_the_ruleset(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_arguments: object, **_named: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("pico_engine.krl.program.compile", too_deep, raising=False)
    with pytest.raises(RulesetDefinitionError, match="too deep to compile"):
        code_of(parse(TEXT), TEXT)


def test_a_new_version_takes_the_place_of_the_old() -> None:
    krl = Krl(ruleset("rule r { select when a b always { ent:n := 1 } }"))
    krl.event("a:b")
    krl.add(ruleset("global { n = function(){ ent:n } }", "shares n"))
    assert krl.query("n") == 1
    assert krl.event("a:b").names == []
