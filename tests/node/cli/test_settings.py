"""Where options get their values: the option, the environment, the file, the default, in this order."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli import settings
from pico_node.cli.commands import COMMANDS, COMMON
from pico_node.cli.errors import UsageError
from pico_node.cli.grammar import Command, Option
from pico_node.cli.kinds import WHOLE

COUNT = Option("how-many", "how many there are", WHOLE, default=7)
WORDS = Option("word", "a word", many=True, default=())
COLOUR = Option("colour", "which colour", choices=("red", "blue"))
COMMAND = Command(("group", "do"), "does it", lambda _: None, options=(COUNT, WORDS, COLOUR))


def test_every_variable_is_of_one_option():
    names = [settings.variable_name(option) for option in COMMON]
    names += [settings.variable_name(option, command) for command in COMMANDS for option in command.options]
    assert len(names) == len(set(names))
    assert "PICOMESH_HOME" in names
    assert "PICOMESH_INVITE_MY_ROLE" in names


def test_the_nearest_place_wins():
    sources = [
        {"how_many": 4}, {"PICOMESH_GROUP_DO_HOW_MANY": "5"}, {"group-do": {"how_many": 6}},
    ]  # fmt: skip
    found = []
    for without in range(4):
        given, environment, config = ({} if n < without else one for n, one in enumerate(sources))
        found.append(settings.resolve(COUNT, COMMAND, given, environment, config))
    assert found == [4, 5, 6, 7]


def test_options_of_all_commands_stand_at_the_top():
    assert settings.resolve(COUNT, None, {}, {}, {"how_many": 6}) == 6
    assert settings.resolve(COUNT, None, {}, {"PICOMESH_HOW_MANY": "5"}, {"how_many": 6}) == 5


def test_several_values():
    assert settings.resolve(WORDS, COMMAND, {"word": ["a,b"]}, {}, {}) == ("a,b",)
    assert settings.resolve(WORDS, COMMAND, {}, {"PICOMESH_GROUP_DO_WORD": " a, ,b "}, {}) == ("a", "b")
    assert settings.resolve(WORDS, COMMAND, {}, {"PICOMESH_GROUP_DO_WORD": ""}, {"group-do": {}}) == ()


@pytest.mark.parametrize(
    ("option", "environment", "config", "told"),
    [
        (COUNT, {"PICOMESH_GROUP_DO_HOW_MANY": "x"}, {}, "PICOMESH_GROUP_DO_HOW_MANY must be a whole number"),
        (COUNT, {}, {"group-do": {"how_many": True}}, "how_many in [group-do] of the configuration file"),
        (WORDS, {}, {"group-do": {"word": "a"}}, "must be a list, not 'a'"),
        (WORDS, {}, {"group-do": {"word": ["a", 1]}}, "must be text, not 1"),
        (COLOUR, {"PICOMESH_GROUP_DO_COLOUR": "green"}, {}, "must be one of red, blue, not 'green'"),
    ],
)
def test_a_wrong_value_tells_where_it_stands(option, environment, config, told):
    with pytest.raises(UsageError) as caught:
        settings.resolve(option, COMMAND, {}, environment, config)
    assert told in str(caught.value)
    assert caught.value.hint


def test_no_file_means_nothing(tmp_path):
    assert settings.read_config(tmp_path / "config.toml") == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = ", "not valid TOML"),
        (b"a = '\xff'", "not valid TOML"),
        (b"#" * (settings.CONFIG_MAX_BYTES + 1), "larger than"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, told):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=told):
        settings.read_config(path)
    with pytest.raises(UsageError, match="cannot read"):
        settings.read_config(tmp_path)


def test_the_largest_file(tmp_path):
    path = tmp_path / "config.toml"
    text = b"timeout = 3\n"
    path.write_bytes(text + b"#" * (settings.CONFIG_MAX_BYTES - len(text)))
    assert settings.read_config(path) == {"timeout": 3}


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with contextlib.suppress(UsageError):
        config = settings.read_config(path)
        assert isinstance(config, dict)
        with contextlib.suppress(UsageError):
            settings.check_config(config, COMMANDS, COMMON, path)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"htp": 1}, "unknown setting `htp`"),
        ({"group": {"do": 1}}, "unknown setting `group`"),
        ({"group-do": 1}, "unknown setting `group-do`"),
        ({"home": {"a": 1}}, "unknown setting `home`"),
        ({"group-do": {"colour": "red", "color": "red"}}, r"`color` in \[group-do\]"),
    ],
)
def test_a_misspelt_setting_is_not_ignored(config, told):
    with pytest.raises(UsageError, match=told):
        settings.check_config(config, (COMMAND,), COMMON, Path("config.toml"))


def test_settings_that_are_known():
    config = {"home": "/x", "timeout": 1, "group-do": {"how_many": 1, "word": [], "colour": "red"}}
    settings.check_config(config, (COMMAND,), COMMON, Path("config.toml"))


@pytest.mark.parametrize(
    ("find", "variable", "below"),
    [
        (settings.config_path, "XDG_CONFIG_HOME", (".config/picomesh/config.toml", "picomesh/config.toml")),
        (settings.default_home, "XDG_DATA_HOME", (".local/share/picomesh", "picomesh")),
    ],
)
def test_the_usual_places(find, variable, below):
    at_home, elsewhere = below
    assert find({}) == Path.home() / at_home
    assert find({variable: "relative"}) == Path.home() / at_home
    assert find({variable: "/some"}) == Path("/some") / elsewhere
