"""The how-to pages: every command they show is one that the command line takes, and their Python runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.grammar import build_parser, parse
from pico_node.cli.kinds import FLAG

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / "docs" / "how-to").glob("*.md"), *(ROOT / "docs" / "explanation").glob("*.md")]
OWN_OPTIONS = [ROOT / "docs" / "how-to" / "simulate.md"]
"""Pages about another command than `picomesh`."""
OPTIONS = {f"--{one.name}" for command in COMMANDS for one in command.options} | {
    f"--{one.name}" for one in COMMON
}
OPTIONS |= {f"--no-{one.name}" for command in COMMANDS for one in command.options if one.kind is FLAG}
OF_OTHERS = {"--user", "--now"}
"""Options of systemctl."""


def commands(text: str) -> list[str]:
    """`picomesh …` in shell blocks, in service files, and between backquotes."""
    shell = [
        line
        for block in re.findall(r"```(?:sh|ini)\n(.*?)```", text, re.DOTALL)
        for line in block.split("\n")
    ]
    shown = re.findall(r"`(picomesh [^`\n]+)`", text) + [line for line in shell if "picomesh " in line]
    found = [re.sub(r"^.*?\bpicomesh (?=[a-z-])", "picomesh ", line) for line in shown]
    known = {command.words[0] for command in COMMANDS}
    return [line for line in found if line.split()[1] in known]


SHOWN = [(page, line) for page in PAGES for line in commands(page.read_text())]


@pytest.mark.parametrize(("page", "line"), SHOWN, ids=[f"{page.stem}: {line[:50]}" for page, line in SHOWN])
def test_a_command_in_a_page_is_one_that_is_taken(page: Path, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = next((one for one in COMMANDS if tuple(words[: len(one.words)]) == one.words), None)
    assert command is not None, line
    if len(words) > len(command.words) or not any(argument.count == "" for argument in command.arguments):
        assert parse(build_parser(COMMANDS, GROUPS, COMMON), words)["command"] == command


@pytest.mark.parametrize("page", [one for one in PAGES if one not in OWN_OPTIONS], ids=lambda page: page.stem)
def test_an_option_in_a_page_is_one_that_there_is(page: Path) -> None:
    told = set(re.findall(r"`(--[a-z][a-z-]+)", page.read_text()))
    assert told - OPTIONS - OF_OTHERS == set()


def test_commands_were_found() -> None:
    assert len(SHOWN) > 15


def test_the_ruleset_of_the_page_passes_the_test_of_the_page() -> None:
    text = (ROOT / "docs" / "how-to" / "write-a-ruleset.md").read_text()
    ruleset, test = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    module = ModuleType("thermometer_of_the_page")
    exec(ruleset + test, vars(module))
    module.test_three_hot_readings_give_an_alarm()
