"""Texts that take long to read or compile: each is refused by a limit that says its name, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pico_engine.errors import LimitExceeded
from pico_engine.harness import Bench
from pico_engine.krl import KrlSyntaxError, check, compile_ruleset
from pico_engine.limits import EngineLimits
from tests.engine.krl.picos import ruleset, values

MAX_CHARS = EngineLimits().ruleset_max_bytes - 100
"""As long as a text may be that a pico installs."""
SOON_S = 10
"""These take a second or two; what grows with the square of the text would take minutes."""


def filled(piece: Callable[[int], str], between: str = " ") -> str:
    """As many numbered pieces as a text may have."""
    pieces: list[str] = []
    left = MAX_CHARS
    while (left := left - len(piece(len(pieces))) - len(between)) > 0:
        pieces.append(piece(len(pieces)))
    return between.join(pieces)


def rule_of(selected: str) -> str:
    return ruleset(f"rule r {{ select when {selected} }}")


TEXTS: dict[str, tuple[str, str]] = {
    "declarations": (ruleset(f"global {{ {filled(lambda n: f'v{n}=1')} }}"), "tokens_max"),
    "an array": (ruleset(f"global {{ a = [{filled(lambda _: '1', ',')}] }}"), "tokens_max"),
    "signs": (ruleset(f"global {{ a = [{filled(lambda _: '-' * 80 + '1', ',')}] }}"), "tokens_max"),
    "rules": (ruleset(filled(lambda n: f"rule r{n}{{select when a b}}")), "functions_max"),
    "functions": (
        ruleset(f"global {{ {filled(lambda n: f'a_name_longer_than_most_{n} = function(){{ 1 }}')} }}"),
        "functions_max",
    ),
    "conditions": (rule_of(f"or({filled(lambda n: f'dom kind_{n} where true', ',')})"), "functions_max"),
    "names": (ruleset(f"global {{ {filled(lambda n: f'a_long_long_name_{n} = {n};')} }}"), "names_max"),
    "regular expressions": (rule_of(f"a b {filled(lambda n: f'x re#{n}#')}"), "REGEXPS_MAX"),
    "captured names": (
        rule_of("or(" + ",".join(f"a b x re#(.)# setting(s{n}) where s{n}" for n in range(900)) + ")"),
        "more than 100 names",
    ),
    "counts": (ruleset(filled(lambda n: f"rule r{n}{{select when count 1000(a b)}}")), "transitions_max"),
    "orders": (
        ruleset(" ".join(f"rule r{n}{{select when and(a b, a c, a d, a e, a f, a g)}}" for n in range(900))),
        "transitions_max",
    ),
    "undefined names": (ruleset(f"global {{ {filled(lambda n: f'a{n}=b{n}')} }}"), "nothing declares"),
    "errors in lines": (ruleset(filled(lambda n: f"a{n}=);", "\n")), "expected"),
    "broken rules": (ruleset(filled(lambda _: "rule r{")), "expected"),
    "broken meta": (ruleset("", filled(lambda _: "version )", "\n")), "expected"),
}


@pytest.mark.parametrize(("text", "said"), TEXTS.values(), ids=TEXTS)
def test_what_takes_long_to_compile_is_refused_soon(text: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(KrlSyntaxError, match=said):
        compile_ruleset(text)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize(
    "selected",
    [
        "and(count 1000 (a b), count 1000 (a c), count 1000 (a d))",
        f"or({','.join(f'a b{n}' for n in range(8_000))})",
        f"before({','.join(['a b'] * 12_000)})",
        f"then({','.join(f'a b{n}' for n in range(4_000))})",
        "any 2 (" + ",".join(f"then(a b{n},a c{n},a d{n},a e{n})" for n in range(26)) + ")",
    ],
    ids=["count", "or", "before", "then", "any"],
)
def test_large_event_expressions_compile_soon(selected: str) -> None:
    began = time.monotonic()
    compile_ruleset(rule_of(selected))
    assert time.monotonic() - began < SOON_S


def test_all_that_is_wrong_is_found_soon() -> None:
    began = time.monotonic()
    assert len(check(TEXTS["undefined names"][0])) == 101
    assert time.monotonic() - began < SOON_S


def test_long_names_and_lines() -> None:
    began = time.monotonic()
    name = "n" * 60_000
    compile_ruleset(ruleset(f"global {{ {name} = 1 it = function(){{ {name} }} }}"))
    with pytest.raises(KrlSyntaxError, match="nothing declares"):
        compile_ruleset(ruleset(f"global {{ {name} = 1 it = function(){{ {name[1:]} }} }}"))
    assert time.monotonic() - began < SOON_S


def test_a_source_that_is_too_long_is_not_even_read() -> None:
    bench = Bench()
    with pytest.raises(LimitExceeded, match="ruleset_max_bytes is 131,072"):
        bench.engine.library.compile("x" * 131_073, "http://example.org/long.krl")


@pytest.mark.parametrize("end", ["x", "e", ".", "e+", "ex", ".5x", " 1"])
def test_text_that_is_almost_a_number_is_looked_at_once(end: str) -> None:
    began = time.monotonic()
    ones = 'range(1, 20).reduce(function(a, b){ a + a }, "1")'
    assert values(f'(({ones}) + "{end}").as("Number").typeof()') in ("Null", "Number")
    assert time.monotonic() - began < SOON_S
