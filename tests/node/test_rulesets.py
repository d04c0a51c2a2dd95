"""Finding rulesets: what fails keeps nothing else away, what changed replaces what it was."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pico_engine.registry import Registry
from pico_node import rulesets as rulesets_module
from pico_node.rulesets import GROUP, load_rulesets
from pico_rulesets.wrangler import Wrangler

GOOD = '''
from pico_engine import Ruleset, query

class Good(Ruleset, rid="{rid}", version="{version}"):
    """Answers."""

    @query
    def answer(self):
        return {answer}
'''


@pytest.fixture(autouse=True)
def no_packages(monkeypatch):
    """Only what a test names; modules of files go when it ends."""
    before = set(sys.modules)
    monkeypatch.setattr(rulesets_module, "entry_points", lambda **_: [])
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def put(folder: Path, name: str, *, rid: str = "my.rules", version: str = "1.0.0", answer: int = 1) -> None:
    (folder / name).write_text(GOOD.format(rid=rid, version=version, answer=answer))


def test_a_file_is_loaded(tmp_path: Path) -> None:
    put(tmp_path, "good.py")
    registry = Registry()
    assert load_rulesets(registry, tmp_path) == []
    assert [one.rid for one in registry] == ["my.rules"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("from pico_engine import Ruleset\nclass A(Ruleset, rid='not a rid!'): pass\n", "Error"),
        ("\0", "SyntaxError"),
    ],
)
def test_a_broken_file_does_not_keep_the_others_away(tmp_path: Path, text: str, said: str, caplog) -> None:
    put(tmp_path, "a_good.py", rid="rules.a")
    (tmp_path / "b_broken.py").write_text(text)
    (tmp_path / "c_folder.py").mkdir()
    put(tmp_path, "d_good.py", rid="rules.d")
    registry = Registry()
    problems = load_rulesets(registry, tmp_path)
    assert [one.rid for one in registry] == ["rules.a", "rules.d"]
    assert len(problems) == 2
    assert "b_broken.py" in problems[0]
    assert said in problems[0]
    assert "b_broken.py" in caplog.text


def test_a_changed_file_replaces_what_it_defined(tmp_path: Path) -> None:
    put(tmp_path, "rules.py", version="1.0.0")
    registry = Registry()
    load_rulesets(registry, tmp_path)
    put(tmp_path, "rules.py", version="2.0.0", answer=2)
    assert load_rulesets(registry, tmp_path) == []
    assert registry.get("my.rules").version == "2.0.0"


def test_an_unchanged_file_is_not_run_again(tmp_path: Path) -> None:
    put(tmp_path, "rules.py")
    registry = Registry()
    load_rulesets(registry, tmp_path)
    definition = registry.get("my.rules")
    load_rulesets(registry, tmp_path)
    assert registry.get("my.rules") is definition


def test_a_file_that_was_mended_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text("broken(")
    registry = Registry()
    assert load_rulesets(registry, tmp_path)
    put(tmp_path, "rules.py")
    assert load_rulesets(registry, tmp_path) == []
    assert registry.find("my.rules") is not None


def test_two_files_with_one_id_are_reported_and_the_first_keeps_it(tmp_path: Path) -> None:
    put(tmp_path, "a.py", version="1.0.0")
    put(tmp_path, "b.py", version="2.0.0")
    registry = Registry()
    for _ in range(2):
        (problem,) = load_rulesets(registry, tmp_path)
        assert f"{tmp_path / 'b.py'}: the id my.rules belongs to {tmp_path / 'a.py'}" in problem
        assert registry.get("my.rules").version == "1.0.0"


def test_a_file_does_not_take_the_place_of_a_package(tmp_path: Path, monkeypatch) -> None:
    point = SimpleNamespace(name="wrangler", value="pico_rulesets.wrangler:Wrangler", load=lambda: Wrangler)
    monkeypatch.setattr(rulesets_module, "entry_points", lambda **_: [point])
    put(tmp_path, "mine.py", rid=Wrangler.definition.rid)
    registry = Registry()
    (problem,) = load_rulesets(registry, tmp_path)
    assert "belongs to wrangler of pico_rulesets.wrangler:Wrangler" in problem
    assert registry.get(Wrangler.definition.rid) is Wrangler.definition


def test_a_package_that_fails_is_reported(tmp_path: Path, monkeypatch) -> None:
    def load() -> None:
        raise RuntimeError("no such luck")

    point = SimpleNamespace(name="bad", value="bad:Bad", load=load)
    monkeypatch.setattr(rulesets_module, "entry_points", lambda **_: [point])
    put(tmp_path, "good.py")
    registry = Registry()
    assert load_rulesets(registry, tmp_path) == ["ruleset bad of bad:Bad: RuntimeError: no such luck"]
    assert registry.find("my.rules") is not None


def test_imported_rulesets_are_not_taken_for_the_file_s_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from pico_rulesets.wrangler import Wrangler\n")
    registry = Registry()
    assert load_rulesets(registry, tmp_path) == []
    assert list(registry) == []


def test_the_built_in_rulesets_are_entry_points(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    registry = Registry()
    assert load_rulesets(registry, tmp_path) == []
    known = {one.rid for one in registry}
    assert {"io.picolabs.wrangler", "io.picolabs.subscription"} <= known
    assert GROUP == "picomesh.rulesets"
