"""docs/reference/krl-grammar.md says what the parser does: its tables, words and examples are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pico_engine.krl import check
from pico_engine.krl.diagnostics import CODES
from pico_engine.krl.parser.cursor import RESERVED_WORDS
from pico_engine.krl.parser.events import (
    AGGREGATE_WORDS,
    EVENT_PRECEDENCE,
    GROUP_WORDS,
    LIST_WORDS,
    PERIODS,
)
from pico_engine.krl.parser.expressions import OPERATOR_WORDS, PRECEDENCE, PREFIX_PRECEDENCE
from pico_engine.krl.parser.rulesets import META_KEYS
from pico_engine.krl.parser.statements import LEVELS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "krl-grammar.md").read_text("utf-8")
EXAMPLES = re.findall(r"```krl\n(.*?)```", PAGE, re.DOTALL)
RULES = "\n".join(re.findall(r"```ebnf\n(.*?)```", PAGE, re.DOTALL))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def strengths(title: str) -> dict[int, set[str]]:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", section(title), re.MULTILINE)
    return {
        int(strength): set(re.findall(r"`([^`]+)`", words.replace("\\|", "|"))) for strength, words in rows
    }


def of_rule(name: str) -> set[str]:
    """The words that a rule of the grammar has."""
    found = re.search(rf"^{name} += (.*?) ;$", RULES, re.MULTILINE | re.DOTALL)
    assert found, name
    return set(re.findall(r'"([^"]+)"', found[1]))


def table(strength: dict[str, int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for word, one in strength.items():
        found.setdefault(one, set()).add(word)
    return found


def test_operators_bind_as_the_table_says():
    assert strengths("Expressions") == table(dict(PRECEDENCE)) | {PREFIX_PRECEDENCE: {"not", "-", "+"}}
    assert of_rule("prefix") == {"not", "-", "+"}


def test_words_between_events_bind_as_the_table_says():
    rows = strengths("Events")
    assert rows.pop(50) == {"between", "not between"}
    assert rows == table({word: one for word, one in EVENT_PRECEDENCE.items() if one < 50})


def test_the_rules_have_the_words_of_the_parser():
    assert of_rule("period") == PERIODS
    assert of_rule("aggregate") - {"(", ")"} == AGGREGATE_WORDS
    assert of_rule("event") >= LIST_WORDS | GROUP_WORDS
    assert META_KEYS | {"share", "provide"} <= of_rule("property")
    assert of_rule("statement") >= LEVELS


def test_the_reserved_words():
    text = section("Tokens")
    reserved, operators = re.search(
        r"reserved words are (.+?);.+?begin with one of (.+?)\.", text, re.DOTALL
    ).groups()
    assert set(re.findall(r"`(\w+)`", reserved)) == RESERVED_WORDS
    assert set(re.findall(r"`(\w+)`", operators)) == OPERATOR_WORDS


def test_every_code_of_a_diagnostic():
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", section("Errors and warnings"), re.MULTILINE)
    assert dict(rows) == CODES


def test_every_group_has_an_example():
    groups = [one for one in PAGE.split("\n## ")[1:] if "```ebnf" in one]
    assert len(groups) == 6
    assert all("```krl" in one for one in groups)


@pytest.mark.parametrize("text", EXAMPLES, ids=[one.split()[1] for one in EXAMPLES])
def test_the_examples_are_right(text):
    assert [one.render(text, "example") for one in check(text)] == []
