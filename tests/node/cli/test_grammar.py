"""The parser that is made from the table of commands."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.errors import UsageError
from pico_node.cli.grammar import Argument, Command, Option, build_parser, commands_meant, parse
from pico_node.cli.kinds import FLAG


def nothing(_: object) -> None:
    """What the commands here do."""


MAKE = Command(
    ("thing", "make"),
    "make a thing",
    nothing,
    (Argument("name", "its name"), Argument("shade", "its shade", "?", ("light", "dark"))),
    (Option("tag", "100 % a tag", many=True), Option("wait", "wait for it", FLAG), Option("my-role", "role")),
)
SAY = Command(("say",), "say words", nothing, (Argument("words", "the words", "*"),), (Option("to", "whom"),))
TABLE = (MAKE, SAY)
SHARED = (Option("home", "where"), Option("json", "for programs", FLAG))


def read(*words: str):
    return parse(build_parser(commands_meant(TABLE, list(words)), {"thing": "things"}, SHARED), list(words))


def test_what_was_not_given_is_absent():
    assert read("thing", "make", "a") == {"command": MAKE, "name": "a", "shade": None, "group": "thing"}
    assert read("say") == {"command": SAY, "words": []}
    assert read() == {"command": None}


def test_everything_given():
    given = read("--home", "h", "thing", "make", "a", "dark", "--tag", "x", "--tag", "y", "--no-wait",
                 "--my-role", "r", "--json")  # fmt: skip
    assert {name: given[name] for name in ("home", "name", "shade", "tag", "wait", "my_role", "json")} == {
        "home": "h", "name": "a", "shade": "dark", "tag": ["x", "y"], "wait": False, "my_role": "r",
        "json": True,
    }  # fmt: skip


def test_words_may_come_after_options_too():
    given = read("say", "a", "--to", "b", "c", "--json", "d")
    assert (given["words"], given["to"], given["json"]) == (["a", "c", "d"], "b", True)


@pytest.mark.parametrize(
    "words",
    ["bogus", "thing", "thing bogus", "thing make", "thing make a light more", "thing make a grey",
     "thing make a --ta x", "say --loud a", "say a --loud", "thing make a --tag", "--hom x say", "say --to"],
)  # fmt: skip
def test_wrong_words_are_told_with_a_way_out(words):
    with pytest.raises(UsageError) as caught:
        read(*words.split())
    assert str(caught.value)
    assert "--help` tells what it takes" in caught.value.hint


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["thing", "make", "say", "--to", "--tag", "--json", "--", "-x", "a", "", "="]))
)
def test_any_words_are_read_or_refused(words):
    with contextlib.suppress(UsageError):
        assert read(*words)["command"] in (MAKE, SAY, None)


@settings(max_examples=40)
@given(st.lists(st.text().filter(lambda word: not word.startswith("-"))))
def test_words_arrive_as_they_are(words):
    assert read("say", *words)["words"] == words


def test_the_parser_of_one_command_reads_as_the_whole_one():
    for command in COMMANDS:
        assert command.words[0] in GROUPS or len(command.words) == 1
        needed = [one.choices[0] if one.choices else "x" for one in command.arguments if not one.often]
        words = [*command.words, *needed, "--json"]
        assert commands_meant(COMMANDS, words) == (command,)
        whole = parse(build_parser(COMMANDS, GROUPS, COMMON), words)
        assert parse(build_parser((command,), GROUPS, COMMON), words) == whole
        assert whole["command"] is command


def test_names_in_the_three_places_they_have():
    assert (MAKE.name, MAKE.section) == ("thing make", "thing-make")
    assert Option("my-role", "").dest == "my_role"
    assert commands_meant(TABLE, ["--home", "x", "say"]) == TABLE


def test_a_per_cent_sign_in_a_help_text(capsys):
    with pytest.raises(SystemExit):
        read("thing", "make", "--help")
    assert "100 % a tag" in capsys.readouterr().out
