"""`krl test`: which files it looks at, what it shows, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pico_node.cli.exits import Exit
from pico_node.cli.main import main

COUNTER = """ruleset org.counter {
  meta { shares value }
  global { value = function() { ent:n.defaultsTo(0) } }
  rule inc { select when counter:inc send_directive("counted") fired { ent:n := value() + 1 } }
  rule bad { select when counter:bad send_directive("bad", {"x": event:attrs{"f"}()}) }
}"""
TESTS = """ruleset org.counter.test {
  meta { use module org.counter shares __tests }
  global { __tests = {
    "counts": [{"event": "counter:inc", "directives": ["counted"]}, {"query": "value", "is": 1}],
    "starts at one": [{"query": "value", "is": 1}],
    "is bad": [{"event": "counter:bad"}]
  } }
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "org.counter.krl").write_text(COUNTER)
    (tmp_path / "org.counter.test.krl").write_text(TESTS)
    return tmp_path


def run(capsys, *words: object) -> tuple[int, str, str]:
    code = main(["krl", "test", *map(str, words)])
    return (code, *capsys.readouterr())


@pytest.mark.parametrize("named", ["", "org.counter.krl", "org.counter.test.krl"])
def test_tests_are_found(capsys, folder: Path, named: str) -> None:
    code, out, error = run(capsys, folder / named)
    assert (code, error) == (Exit.FAILED, "")
    lines = out.split("\n")
    assert lines[:7] == [
        f"org.counter.test ({folder / 'org.counter.test.krl'})",
        "  ok    counts",
        "  FAIL  starts at one",
        "        step 1, query value:",
        "          expected 1, got 0",
        "  FAIL  is bad",
        "        step 1, event counter:bad:",
    ]
    assert "error: rule bad failed: TypeError" in lines[7]
    assert lines[8].strip() == COUNTER.split("\n")[4].strip()
    assert lines[9].index("^") == lines[8].index("event:attrs")
    assert lines[10:] == ["1 passed, 2 failed", ""]
    assert f"          {folder / 'org.counter.krl'}:5:" in out


def test_only_some(capsys, folder: Path) -> None:
    code, out, _ = run(capsys, folder, "--only", "count")
    assert code == Exit.OK
    assert out.endswith("  ok    counts\n1 passed, 0 failed\n")
    code, _, error = run(capsys, folder, "--only", "nothing of this name")
    assert code == Exit.USAGE
    assert "share no `__tests`" in error


def test_for_programs(capsys, folder: Path) -> None:
    code, out, _ = run(capsys, folder, "--json")
    assert code == Exit.FAILED
    answer = json.loads(out)
    assert (answer["passed"], answer["failed"]) == (1, 2)
    assert [(one["rid"], one["name"], one["ok"]) for one in answer["tests"]] == [
        ("org.counter.test", "counts", True),
        ("org.counter.test", "starts at one", False),
        ("org.counter.test", "is bad", False),
    ]
    assert answer["tests"][1]["failures"] == [{"step": 1, "what": "query value", "text": "expected 1, got 0"}]
    (failure,) = answer["tests"][2]["failures"]
    assert (failure["file"], failure["line"]) == (str(folder / "org.counter.krl"), 5)


def test_for_machines_that_read_junit(capsys, folder: Path) -> None:
    run(capsys, folder, "--junit", folder / "out.xml")
    suite = ElementTree.fromstring((folder / "out.xml").read_text())
    assert suite.attrib == {"name": "krl", "tests": "3", "failures": "2"}
    assert [len(case.findall("failure")) for case in suite] == [0, 1, 1]
    assert suite[1][0].text == "expected 1, got 0"


def test_a_ruleset_may_hold_its_own_tests(capsys, tmp_path: Path) -> None:
    (tmp_path / "own.krl").write_text(
        "ruleset own { meta { shares __tests, x }"
        ' global { x = 1 __tests = {"it": [{"query": "x", "is": 1}]} } }'
    )
    assert run(capsys, tmp_path / "own.krl")[0] == Exit.OK


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("ruleset a { }", Exit.USAGE, "share no `__tests`"),
        ("ruleset a { meta { shares __tests } global { __tests = [] } }", Exit.FAILED, "is no map"),
        ("ruleset a { rule }", Exit.FAILED, "cannot be compiled"),
        ("ruleset a { meta { use module a } }", Exit.USAGE, "share no `__tests`"),
        (
            "ruleset a { meta { use module a shares __tests } global { __tests = {} } }",
            Exit.FAILED,
            "Dependency Cycle Found",
        ),
    ],
)
def test_what_cannot_be_tested(capsys, tmp_path: Path, text: str, code: Exit, shown: str) -> None:
    (tmp_path / "a.krl").write_text(text)
    assert run(capsys, tmp_path / "a.krl")[0] == code
    assert shown in run(capsys, tmp_path / "a.krl")[2]
