"""A throw-away pico for KRL files: which files it takes, and how errors are located."""

from __future__ import annotations

from pathlib import Path

import pytest

from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.krl_pico import BUILT_IN, FILE_MAX_BYTES, Sources, _class, read_source, show_located

UNITS = "ruleset org.units { meta { provides twice } global { twice = function(x) { x * 2 } } }"
USER = """ruleset org.user {
  meta { use module org.units alias units shares six, config, bad }
  global { six = function() { units:twice(3) } config = function() { meta:rulesetConfig }
    bad = function() {
\t  null() } }
  rule install {
    select when test:install
    pre { url = event:attrs{"url"} }
    every { ctx:install(url = url) }
  }
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "user.krl").write_text(USER)
    return tmp_path


def sources(*files: Path, as_json: bool = False) -> Sources:
    return Sources([str(file) for file in files], as_json=as_json)


@pytest.mark.parametrize("name", ["org.units.krl", "other-name.krl"])
def test_modules_are_found_beside(folder: Path, name: str) -> None:
    (folder / "broken.krl").write_bytes(b"ruleset \xff")
    (folder / name).write_text(UNITS)
    found = sources(folder / "user.krl")
    assert found.given == ["org.user"]
    assert [one.rid for one in found.all] == ["org.units", "org.user"]
    pico = found.pico({"a": 1}, seed="1")
    assert pico.query("org.user", "six") == 6
    assert pico.query("org.user", "config") == {"a": 1}


def test_a_module_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"uses the module org\.units, and no file"):
        sources(folder / "user.krl")


def test_modules_may_be_named(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "u.krl"
    elsewhere.write_text(UNITS)
    assert sources(folder / "user.krl", elsewhere).pico(seed="1").query("org.user", "six") == 6


def test_built_in_rulesets_in_python_are_modules(tmp_path: Path) -> None:
    file = tmp_path / "a.krl"
    file.write_text(
        "ruleset a { meta { use module io.picolabs.wrangler alias w use module io.picolabs.pds alias pds"
        ' shares me } global { me = function() { w:myself(){"name"} } } }'
    )
    found = sources(file)
    assert found.python == ["io.picolabs.wrangler", "io.picolabs.subscription", "io.picolabs.pds"]
    assert found.pico(seed="1").query("a", "me") == "root"


@pytest.mark.parametrize("rid", BUILT_IN)
def test_built_in_rulesets_are_what_they_say(rid: str) -> None:
    assert _class(rid).definition.rid == rid


def test_rulesets_are_installed_from_the_folders_of_the_files_and_from_nowhere_else(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "org.units.krl").write_text(UNITS)
    (folder / "late.krl").write_text("ruleset late { meta { shares x } global { x = 1 } }")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "late.krl"
    elsewhere.write_text("ruleset far { }")
    pico = sources(folder / "user.krl").pico(seed="1")
    pico.event("test:install", url=(folder / "late.krl").as_uri())
    assert pico.query("late", "x") == 1
    assert pico.errors == []
    for url, told in (
        (elsewhere.as_uri(), "is in no folder"),
        ((folder / "none.krl").as_uri(), "cannot read"),
        ("https://example.org/x.krl", "ask nothing outside"),
    ):
        pico.event("test:install", url=url)
        assert told in pico.errors[-1]


def test_a_file_that_does_not_compile_is_told_with_its_line(folder: Path, capsys) -> None:
    bad = folder / "bad.krl"
    bad.write_text("ruleset bad {\n  rule {\n}")
    with pytest.raises(CliError, match="cannot be compiled"):
        sources(bad)
    told = capsys.readouterr().err
    assert f"{bad}:2:8: error: " in told
    assert "\n    rule {\n         ^" in told
    with pytest.raises(CliError, match=r"bad\.krl:2:8: error"):
        sources(bad, as_json=True)
    assert capsys.readouterr().err == ""


def test_two_files_with_one_ruleset(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.krl").write_text(UNITS)
    with pytest.raises(UsageError, match=r"are both org\.units"):
        sources(folder / "a.krl", folder / "b.krl")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for content, told in (
        (None, "cannot read"),
        (b"\xff", "not UTF-8"),
        (b"x" * (FILE_MAX_BYTES + 1), "larger"),
    ):
        file = tmp_path / "a.krl"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UsageError, match=told):
            read_source(file)
    (tmp_path / "bom.krl").write_bytes(b"\xef\xbb\xbfruleset a { }")
    assert read_source(tmp_path / "bom.krl") == "ruleset a { }"


def test_errors_are_shown_with_their_line(folder: Path) -> None:
    (folder / "org.units.krl").write_text(UNITS)
    found = sources(folder / "user.krl")
    told = found.located("rule x failed: org.user.krl:5:4: TypeError: no\nway")
    assert told == {
        "text": "rule x failed: TypeError: no\nway",
        "file": str(folder / "user.krl"),
        "line": 5,
        "column": 4,
        "source": "\t  null() } }",
    }
    assert show_located(told).split("\n")[1:] == ["  \t  null() } }", "  \t  ^"]
    assert "no\N{REPLACEMENT CHARACTER}way" in show_located(told)
    for text in ("something else", "org.nobody.krl:1:1: what"):
        assert found.located(text) == {"text": text}
        assert show_located({"text": text}) == f"error: {text}"
    assert found.located("org.user.krl:999:1: x")["source"] == ""


def test_warnings_are_those_of_all_files(folder: Path) -> None:
    (folder / "user.krl").write_text(USER.replace('event:attrs{"url"}', 'event:attr("url")'))
    (folder / "org.units.krl").write_text(UNITS)
    assert [one.partition(": ")[0] for one in sources(folder / "user.krl").warnings()] == [
        f"{folder / 'user.krl'}:8:17"
    ]
