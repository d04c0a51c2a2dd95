"""`krl run`: steps from words and from lines, what is shown, and that a run repeats."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pico_node.cli.commands.krl_run import TIME, Step, read_steps, split
from pico_node.cli.errors import UsageError
from pico_node.cli.exits import Exit
from pico_node.cli.main import main

COUNTER = """ruleset org.counter {
  meta { shares value, bad }
  global {
    value = function(factor = 1) { ent:n.defaultsTo(0) * factor.as("Number") }
    bad = function() { value(1)() }
  }
  rule inc {
    select when counter:inc n re#^(\\d+)$# setting(n)
    send_directive("counted", {"n": n, "limit": meta:rulesetConfig{"limit"}})
    fired {
      ent:n := value() + n.as("Number");
      log info "it is" + ent:n;
      schedule counter event "tick" at time:add(time:now(), {"minutes": 1})
    }
  }
  rule tick { select when counter:tick fired { log warn time:now() } }
  rule bad { select when counter:bad send_directive("bad", {"x": event:attr("f")()}) }
  rule ask { select when counter:ask http:get("http://192.0.2.1/x") }
  rule chance { select when counter:chance send_directive(random:uuid(), {"now": time:now()}) }
}"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "counter.krl"
    path.write_text(COUNTER)
    return str(path)


def words_of(text: str) -> list[str]:
    return text.split()


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["krl", "run", *words])
    return (code, *capsys.readouterr())


def told(capsys, *words: str) -> tuple[int, dict]:
    code, out, error = run(capsys, *words, "--json")
    return code, json.loads(out or error)


def test_steps_in_their_order(capsys, file: str) -> None:
    words = words_of("event counter:inc n=3 wait 2m query value factor:=2 event counter:other")
    code, out, error = run(capsys, file, "--now", "2026-01-01T00:00:00Z", "--config", '{"limit": 9}', *words)
    assert code == Exit.OK
    assert out.split("\n") == [
        "> event counter:inc n=3",
        "  info it is3",
        '  directive counted {"n": "3", "limit": 9}',
        "> wait 2m",
        "  warning 2026-01-01T00:01:00.000Z",
        "> query value factor:=2",
        "  6",
        "> event counter:other",
        "  no rule fired",
        "",
    ]
    assert f"{file}:17:66: warning: " in error


def test_errors_are_shown_with_their_line(capsys, file: str) -> None:
    code, out, _ = run(capsys, file, "event", "counter:bad", "query", "bad", "event", "counter:ask")
    assert code == Exit.NODE_ERROR
    assert f"  {file}:17:" in out
    assert "rule bad failed: TypeError: null is not a function" in out
    assert f"  {file}:5:24: error: TypeError: 0 is not a function" in out
    lines = out.split("\n")
    at = next(number for number, line in enumerate(lines) if "bad = function()" in line)
    assert lines[at + 1].index("^") == lines[at].index("value(1)")
    assert "ask nothing outside here" in out


def test_a_global_block_that_fails_is_told_with_its_line(capsys, tmp_path: Path) -> None:
    file = tmp_path / "a.krl"
    file.write_text('ruleset org.a {\n  global {\n    x = 1 - "b"\n  }\n}\n')
    code, _, err = run(capsys, str(file), "event", "a:b")
    assert code != Exit.OK
    assert "org.a.krl:3:9: TypeError: b cannot be subtracted from 1. org.a was not installed" in err


def test_for_programs(capsys, file: str) -> None:
    code, answer = told(capsys, file, "event", "counter:inc", "n=1", "query", "bad")
    assert code == Exit.NODE_ERROR
    assert answer["rulesets"] == ["org.counter"]
    assert len(answer["warnings"]) == 1
    event, query = answer["steps"]
    assert event["step"] == "event counter:inc n=1"
    assert event["fired"] == ["org.counter/inc"]
    assert event["directives"][0]["name"] == "counted"
    assert event["log"][0]["text"] == "it is1"
    assert event["errors"] == []
    (error,) = query["errors"]
    assert (error["line"], error["column"], error["file"]) == (5, 24, file)
    assert "result" not in query


def test_a_run_repeats(capsys, file: str) -> None:
    words = (file, "--entropy", "s", "--now", "1767225600000", "event", "counter:chance")
    first, second = told(capsys, *words), told(capsys, *words)
    assert first == second
    assert first[1]["steps"][0]["directives"][0]["options"] == {"now": "2026-01-01T00:00:00.000Z"}
    assert told(capsys, *words[:2], "t", *words[3:]) != first
    chance = [told(capsys, file, "event", "counter:chance")[1]["steps"][0] for _ in range(2)]
    assert chance[0]["directives"] != chance[1]["directives"]


def test_without_now_it_is_now(capsys, file: str) -> None:
    before = time.time()
    _, answer = told(capsys, file, "event", "counter:chance")
    shown = TIME.read(answer["steps"][0]["directives"][0]["options"]["now"])
    assert before - 1 < shown / 1_000 < time.time() + 1


def test_steps_from_lines(capsys, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# a comment\nevent counter:inc n=2\n\nhelp\nquery value\nquit\nevent counter:inc n=9\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code, out, _ = run(capsys, file)
    assert code == Exit.OK
    assert out.endswith("> query value\n  2\n")
    assert "[RID/]NAME" in out
    monkeypatch.setattr(sys, "stdin", io.StringIO("event counter:inc n=2\n"))
    code, answer = told(capsys, file)
    assert [one["step"] for one in answer["steps"]] == ["event counter:inc n=2"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [("evnt a:b", "is no step"), ("event 'a", "No closing quotation"), ("event", "of what")],
)
def test_a_wrong_line_ends_the_run_but_not_at_a_terminal(
    capsys, file: str, monkeypatch: pytest.MonkeyPatch, line: str, shown: str
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    text = f"{line}\nquery value\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code, out, error = run(capsys, file)
    assert code == Exit.USAGE
    assert shown in error
    assert "query value" not in out
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    code, out, _ = run(capsys, file)
    assert code == Exit.OK
    assert shown in out
    assert out.count("krl> ") == 3
    assert "> query value\n  0\n" in out


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["query", "none"], "no ruleset here shares none"),
        (["query", "value", "x"], "not of the form key=value"),
        (["wait", "long"], "cannot wait 'long'"),
        (["event"], "`event` of what?"),
        (["--now", "soon", "query", "value"], "--now must be a time"),
        (["--allow-host", "http://x", "query", "value"], "is no host"),
    ],
)
def test_what_is_no_use(capsys, file: str, words: list[str], shown: str) -> None:
    code, _, error = run(capsys, file, *words)
    assert code in (Exit.USAGE, Exit.FAILED)
    assert shown in error


def test_a_query_of_another_ruleset(capsys, file: str, tmp_path: Path) -> None:
    other = tmp_path / "other.krl"
    other.write_text("ruleset org.other { meta { shares value, own } global { value = 7 own = 8 } }")
    words = words_of("query value query org.other/value query own query io.picolabs.wrangler/name")
    _, answer = told(capsys, file, str(other), *words)
    assert [one["result"] for one in answer["steps"]] == [0, 7, 8, "root"]


def test_a_log_line_of_several_lines(capsys, tmp_path: Path) -> None:
    file = tmp_path / "a.krl"
    file.write_text("ruleset a { rule r { select when a:b fired { log info <<one\ntwo\x1b[2J\n>> } } }")
    _, out, _ = run(capsys, str(file), "event", "a:b")
    assert out == "> event a:b\n  info one\n    two\N{REPLACEMENT CHARACTER}[2J\n"


def test_an_event_without_a_name_is_an_error_of_its_step(capsys, file: str) -> None:
    code, out, _ = run(capsys, file, "event", "x", "query", "value")
    assert code == Exit.NODE_ERROR
    assert "  error: " in out
    assert "> query value\n  0\n" in out


def test_words() -> None:
    assert split(["b.krl", "event", "a:b"]) == (["b.krl"], ["event", "a:b"])
    assert split(["b.krl"]) == (["b.krl"], [])
    assert read_steps(["event", "a:b", "x=1", "wait", "3s"]) == [
        Step("event", ["a:b", "x=1"]),
        Step("wait", ["3s"]),
    ]
    assert Step("event", ["a:b", "x=a b"]).told == "event a:b 'x=a b'"
    with pytest.raises(UsageError):
        read_steps(["a"])
    assert TIME.read("1970-01-01T00:00:01") == TIME.read("1970-01-01T01:00:01+01:00") == 1_000


def test_it_starts_without_the_node_and_its_libraries(file: str) -> None:
    script = (
        f"import sys; sys.argv = ['picomesh', 'krl', 'run', {file!r}, 'query', 'value']\n"
        "from pico_node.cli.main import main; code = main()\n"
        "print([name for name in ('aiohttp', 'libp2p', 'plyvel') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "[] 0"
