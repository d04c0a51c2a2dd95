"""The reference of the command line tells every command, option, setting and exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pico_node.cli import settings
from pico_node.cli.commands import COMMANDS, COMMON
from pico_node.cli.errors import CliError
from pico_node.cli.exits import MEANINGS, Exit, exit_for_problem
from pico_node.cli.grammar import Command

FOLDER = Path(__file__).parents[3] / "docs/reference"
CLI, JSON, EXITS, CONFIG = (
    (FOLDER / name).read_text("utf-8")
    for name in ("cli.md", "cli-json.md", "exit-codes.md", "configuration.md")
)
HTTP = (FOLDER / "http.md").read_text("utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_command_with_its_words_and_options(command: Command):
    assert f"### picomesh {command.name}\n" in CLI
    section = CLI.split(f"### picomesh {command.name}\n")[1].split("\n##")[0]
    assert command.about in section
    for argument in command.arguments:
        assert f"| `{argument.name.upper()}` | {argument.about}" in section
    for option in command.options:
        assert re.search(rf"\| `--{option.name}[ `]", section)
        assert option.about in section


def test_no_command_that_is_not():
    assert set(re.findall(r"^### picomesh (.+)$", CLI, re.MULTILINE)) == {
        command.name for command in COMMANDS
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_command_tells_what_it_prints_for_programs(command: Command):
    assert f"`{command.name}`" in JSON


def test_every_setting():
    wanted = [(settings.variable_name(option), option.dest, "") for option in COMMON]
    wanted += [
        (settings.variable_name(option, command), option.dest, command.section)
        for command in COMMANDS
        for option in command.options
    ]
    for variable, key, section in wanted:
        (line,) = [line for line in CONFIG.splitlines() if f"`{variable}`" in line]
        assert (f"`{key}` in `[{section}]`" if section else f"`{key}`") in line
    assert set(re.findall(r"`(PICOMESH_[A-Z_]+[A-Z])`", CONFIG)) == {one[0] for one in wanted}


def test_the_example_of_the_configuration_is_one(tmp_path):
    import tomllib

    (example,) = re.findall(r"```toml\n(.*?)```", CONFIG, re.DOTALL)
    settings.check_config(tomllib.loads(example), COMMANDS, COMMON, tmp_path)


def test_every_exit_code():
    rows = dict(re.findall(r"^\| `(\d+)` \| `(\w+)` \|", EXITS, re.MULTILINE))
    assert rows == {str(int(one)): one.name for one in Exit}
    for meaning in MEANINGS.values():
        assert meaning in EXITS


def test_every_code_of_an_error_has_the_exit_code_that_the_docs_tell():
    problems = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", HTTP, re.MULTILINE)
    assert len(problems) > 25
    lines = {int(line.split("`")[1]): line for line in EXITS.splitlines() if line.startswith("| `")}
    for code, status in problems:
        expected = exit_for_problem(code, int(status))
        assert [number for number, line in lines.items() if f"`{code}`" in line] == [expected], code
    for kind in (CliError, *CliError.__subclasses__()):
        if kind.__name__ != "NodeSaidNo":
            assert f"`{kind.code}`" in lines[kind.exit]
            assert f"`{kind.code}`" in JSON
