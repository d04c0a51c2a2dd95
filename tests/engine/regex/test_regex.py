"""Regular expressions against answers of a JavaScript engine, and patterns that try to run away."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine.regex import RegexLimitExceeded, RegexSyntaxError, compile_regex
from pico_engine.regex.machine import SEARCH_MAX_STEPS

GOLDEN = json.loads((Path(__file__).parent / "data" / "javascript.json").read_text())
ACCEPTED = [(case, one) for case in GOLDEN["accepted"] for one in case["texts"]]


@pytest.mark.parametrize(
    ("case", "one"), ACCEPTED, ids=[f"{case['pattern']!a}-{one['text']!a}" for case, one in ACCEPTED]
)
def test_answers_are_those_of_javascript(case: dict[str, Any], one: dict[str, Any]) -> None:
    regex = compile_regex(case["pattern"], case["flags"])
    found = regex.search(one["text"])
    answer = found and {
        "start": found.start,
        "stop": found.stop,
        "groups": list(found.groups),
        "named": dict(found.named),
    }
    assert answer == one["match"]
    everywhere = compile_regex(case["pattern"], "".join({*case["flags"], "g"}))
    assert [[each.start, each.found] for each in everywhere.matches(one["text"])] == one["all"]
    assert regex.replace(one["text"], case["template"]) == one["replaced"]
    assert regex.split(one["text"]) == one["split"]


@pytest.mark.parametrize("case", GOLDEN["rejected"], ids=lambda case: f"{case['pattern']!a}")
def test_what_javascript_rejects_is_rejected_in_its_words(case: dict[str, str]) -> None:
    with pytest.raises(RegexSyntaxError) as caught:
        compile_regex(case["pattern"], case["flags"])
    assert str(caught.value) == case["message"]


def test_an_expression_is_its_pattern_and_flags() -> None:
    assert compile_regex("a(b)", "g") == compile_regex("a(b)", "g")
    assert hash(compile_regex("a(b)", "g")) == hash(compile_regex("a(b)", "g"))
    assert compile_regex("a(b)") != compile_regex("a(b)", "g")
    assert compile_regex("a(b)").captures == 1


def test_a_search_may_begin_later_and_still_sees_what_is_before() -> None:
    regex = compile_regex("(?<=a)b|^b")
    assert regex.search("bab", 1) == compile_regex("(?<=a)b|^b").search("bab", 2)
    found = compile_regex(r"\bb").search("ab b", 1)
    assert found is not None
    assert found.start == 3
    assert compile_regex("^b").search("ab", 1) is None


def test_without_the_flag_g_there_is_one_match() -> None:
    assert [found.found for found in compile_regex("a").matches("aaa")] == ["a"]


def test_characters_beyond_the_basic_plane_are_one() -> None:
    assert compile_regex("^.$").search("\U0001f600") is not None
    assert compile_regex(r"^[\ud83d\ude00]$").search("\U0001f600") is not None
    assert compile_regex("\\ud83d\\ude00+").replace("\U0001f600\U0001f600", "x") == "x"


def test_lone_surrogates_are_characters() -> None:
    assert compile_regex(r"^(.)\ud800$").search("a\ud800") is not None
    assert compile_regex("a").search("\ud800a") is not None


HOSTILE = [
    ("(a+)+$", "", "a" * 50_000 + "b"),
    ("(a|a)*b", "", "a" * 50_000),
    ("(a*)*b", "", "a" * 50_000),
    ("((a?){0,60000}){0,60000}b", "", "a" * 50_000),
    ("(?:(?:a{1000}){1000}){1000}", "", "a" * 60_000),
    ("(?=(a+)+b)a", "", "a" * 50_000),
    ("(?:(?=(?:(?=a*b)|a)*b)|a)*b", "", "a" * 3_000),
    (r"(a*)\1*\1*\1*b", "", "a" * 5_000),
    (r"(?<=(a+)+b)c", "", "a" * 3_000 + "c"),
    ("(x+x+)+y", "i", "x" * 5_000),
    (r"^(.*?,){30}P", "", "1,2,3,4," * 40),
    (r"(a|ab|b|ba)*\1c", "", "ab" * 2_000),
]


@pytest.mark.parametrize(("pattern", "flags", "text"), HOSTILE, ids=[one[0] for one in HOSTILE])
def test_no_expression_runs_away(pattern: str, flags: str, text: str) -> None:
    """Each either answers or says that it takes too long; the steps told to the caller are bounded."""
    told = 0

    def step(steps: int) -> None:
        nonlocal told
        told += steps

    with suppress(RegexLimitExceeded):
        assert compile_regex(pattern, flags).search(text, 0, step) is None
    assert told <= SEARCH_MAX_STEPS + len(text)


def test_the_caller_can_end_a_search() -> None:
    class Enough(Exception):
        pass

    def step(steps: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        compile_regex(r"(a*)*\1b").search("a" * 100, 0, step)


def test_replacing_tells_what_it_makes() -> None:
    made: list[int] = []
    compile_regex("a", "g").replace("a" * 100, "$'", None, made.append)
    assert sum(made) == 99 * 100 / 2


@settings(max_examples=400, deadline=None)
@given(
    st.text(alphabet="ab()[]{}^$\\?*+.|<>=!:kdwx0-9,&~", max_size=14), st.text(alphabet="ab\n1-", max_size=8)
)
def test_any_pattern_works_or_is_refused(pattern: str, text: str) -> None:
    try:
        regex = compile_regex(pattern, "g")
    except RegexSyntaxError:
        return
    for found in regex.matches(text):
        assert 0 <= found.start <= found.stop <= len(text)
        assert len(found.groups) == regex.captures
    pieces = regex.split(text)
    if not regex.captures:
        assert text.startswith(pieces[0] or "") if pieces else text == ""
