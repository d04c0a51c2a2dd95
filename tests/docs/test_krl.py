"""docs/reference/krl.md is complete and true: operators, modules, words, and every example is run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from pico_engine.harness import Harness
from pico_engine.krl import check
from pico_engine.krl.linking import BUILT_IN
from pico_engine.krl.modules.dido import REFUSED
from pico_engine.krl.parser.events import AGGREGATE_WORDS, EVENT_PRECEDENCE
from pico_engine.krl.parser.rulesets import META_KEYS
from pico_engine.krl.parser.statements import LEVELS
from pico_engine.krl.stdlib import PARAMETERS
from pico_node.cli.main import main
from tests.engine.krl.picos import values

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "krl.md").read_text("utf-8")
PAGES = [
    DOCS / "reference" / "krl.md",
    DOCS / "reference" / "krl-tests.md",
    DOCS / "how-to" / "write-krl.md",
]
EXAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(re.findall(r"```krl\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]


NOTHING = "\N{EN DASH}"


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of tables, without headings."""
    lines = [line for line in text.split("\n") if re.match(r"\| [^-]", line)]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines
    ]


OPERATORS = [row for row in rows(section("Operators")) if row[0].startswith("`")]


def test_every_operator_with_its_parameters() -> None:
    told = {row[0].strip("`"): row[1].strip("`") for row in OPERATORS}
    assert told == {name: ", ".join(names) or NOTHING for name, names in PARAMETERS.items()}
    assert len(OPERATORS) == len(told)


SHOWN = [row for row in OPERATORS if row[0] != "`noop`"]  # an action: it has no value


@pytest.mark.parametrize("row", SHOWN, ids=[row[0].strip("`") for row in SHOWN])
def test_an_example_of_an_operator_gives_what_is_told(row: list[str]) -> None:
    expression, answer = re.fullmatch(r"`(.+)` is `(.+)`", row[3]).groups()
    name = row[0].strip("`")
    assert f".{name}(" in expression or f" {name} " in expression or f"{name}(" in expression
    value = values(expression)
    assert value == json.loads(answer)
    assert isinstance(value, bool) == (answer in ("true", "false"))


def test_every_member_of_every_module_with_its_parameters_and_kind() -> None:
    kinds = {"both": "action, function"}
    expected = {
        f"{domain}:{name}" + ("" if one.kind == "property" else f"({', '.join(one.parameters)})"): kinds.get(
            one.kind, one.kind
        )
        for domain, members in BUILT_IN.items()
        for name, one in members.items()
        if domain != "dido" or name not in REFUSED
    }
    told = {row[0].strip("`"): row[1] for row in rows(section("Modules")) if row[0].startswith("`")}
    assert told == expected


@pytest.mark.parametrize("domain", BUILT_IN)
def test_every_module_has_a_section(domain: str) -> None:
    part = PAGE.split(f"\n### `{domain}`\n")[1].split("\n### ")[0]
    for name in BUILT_IN[domain]:
        assert f"`{domain}:{name}" in part


def test_words_of_the_language_are_there() -> None:
    for word in META_KEYS - {"logging"} | {"use module", "configure using"}:
        assert f"`{word}" in section("A ruleset") or f"`{word} " in section("A ruleset"), word
    rules = section("Rules")
    for word in {*EVENT_PRECEDENCE, *AGGREGATE_WORDS, "within", "any", "count", "repeat"}:
        assert re.search(rf"\b{word}\b", rules), word
    for word in {
        *LEVELS,
        "raise",
        "schedule",
        "clear",
        "last",
        "log",
        "error",
        "on final",
        "choose",
        "sample",
    }:
        assert re.search(rf"\b{word}\b", rules), word


def test_the_types_are_those_that_typeof_says() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section("Values")) if row[0].startswith("`")}
    for name, written in told.items():
        for expression in re.findall(r"`([^`]+)`", written):
            if "…" not in expression:
                assert values(f"({expression}).typeof()") == name


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_are_right(text: str) -> None:
    assert [one.render(text, "example") for one in check(text)] == []


def test_what_is_false() -> None:
    told = re.search(r"asked for, (.+?)\s+are false", section("Values"), re.DOTALL)[1]
    for expression in re.findall(r"`([^`]+)`", told):
        assert values(f'{expression} => "true" | "false"') == "false"


def test_the_ruleset_of_the_page_does_what_it_looks_like() -> None:
    from pico_rulesets.wrangler import Wrangler

    text = re.findall(r"```krl\n(.*?)```", section("A ruleset"), re.DOTALL)[0]
    pico = Harness(Wrangler, text, config={"limit": 20})
    assert pico.event("sensor:reading", degrees="21.5").options("hot") == {"degrees": 21.5, "name": "root"}
    assert pico.event("sensor:reading", degrees="19").names == []
    assert pico.event("sensor:reading", degrees="warm").names == []
    newest = pico.query("org.example.thermometer", "newest", most="1")
    assert [one["degrees"] for one in newest] == [19]
    assert pico.errors == []


def test_the_how_to_runs_as_it_says(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "how-to" / "write-krl.md").read_text("utf-8")
    for text in re.findall(r"```krl\n(.*?)```", page, re.DOTALL):
        (tmp_path / f"{text.split()[1]}.krl").write_text(text)
    monkeypatch.chdir(tmp_path)
    (run,) = re.findall(r"^picomesh (krl run .+)$", page, re.MULTILINE)
    assert main(shlex.split(run)) == 0
    assert capsys.readouterr().out == re.search(r"```text\n(> .*?)```", page, re.DOTALL)[1]
    (test,) = re.findall(r"^picomesh (krl test .+)$", page, re.MULTILINE)
    assert main(shlex.split(test)) == 0
    assert "5 passed, 0 failed" in capsys.readouterr().out
