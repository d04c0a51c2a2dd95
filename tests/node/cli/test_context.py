"""What a command has at hand."""

from __future__ import annotations

import json

import pytest

from tests.node.cli.commands.helpers import context


@pytest.mark.parametrize(
    ("values", "pico"), [({}, "@"), ({"pico": None}, "@"), ({"pico": ""}, "@"), ({"pico": "a"}, "a")]
)
def test_the_root_pico_if_none_is_named(tmp_path, values, pico):
    assert context(tmp_path, **values).pico == pico


def test_words_and_options_by_name(tmp_path):
    found = context(tmp_path, tag=("a",))
    assert (found["tag"], found.home, found.as_json) == (("a",), tmp_path, False)
    with pytest.raises(KeyError):
        _ = found["tags"]


@pytest.mark.parametrize("as_json", [True, False])
def test_answers_are_shown_as_they_were_asked_for(tmp_path, capsys, as_json):
    context(tmp_path, json=as_json).show([1], lambda told: f"people see {told}")
    out = capsys.readouterr().out
    assert (json.loads(out) == [1]) if as_json else (out == "people see [1]\n")
