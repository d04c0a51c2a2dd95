"""`krl check`: real files, what is shown, what programs get, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pico_node.cli.exits import Exit
from pico_node.cli.main import main

GOOD = "ruleset a { global { x = 1 } }"
ODD = 'ruleset a {\n  rule r {\n    select when a:b\n    pre { x = event:attr("x") }\n  }\n}\n'
BAD = "ruleset a {\n  global {\n    x = y\n    z = ]\n  }\n}\n"


@pytest.fixture
def file(tmp_path):
    def make(text: str, name: str = "a.krl") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return make


def test_a_good_file(file, capsys):
    assert main(["krl", "check", file(GOOD)]) == Exit.OK
    assert capsys.readouterr() == ("nothing to say of 1 file\n", "")


def test_errors_are_shown_with_their_lines(file, capsys):
    name = file(BAD)
    assert main(["krl", "check", name, file(GOOD, "b.krl")]) == Exit.FAILED
    assert capsys.readouterr() == (
        f"{name}:3:9: error: nothing declares `y`\n"
        "      x = y\n"
        "          ^\n"
        "\n"
        f"{name}:4:9: error: expected a value, but found `]`\n"
        "      z = ]\n"
        "          ^\n"
        "\n"
        "2 errors, 0 warnings in 2 files\n",
        "",
    )


def test_warnings_are_no_errors_unless_asked(file, capsys):
    name = file(ODD)
    assert main(["krl", "check", name]) == Exit.OK
    assert "a.krl:4:15: warning: `event:attr` is old\n" in capsys.readouterr().out
    assert main(["krl", "check", "--strict", name]) == Exit.FAILED
    assert capsys.readouterr().out.endswith("0 errors, 1 warning in 1 file\n")


def test_what_programs_get(file, capsys):
    name = file(BAD)
    assert main(["krl", "check", "--json", name]) == Exit.FAILED
    told = json.loads(capsys.readouterr().out)
    assert told == [
        {
            "file": name, "line": 3, "column": 9, "end_line": 3, "end_column": 10, "severity": "error",
            "code": "undefined-name", "message": "nothing declares `y`", "hint": "",
        },
        {
            "file": name, "line": 4, "column": 9, "end_line": 4, "end_column": 10, "severity": "error",
            "code": "syntax", "message": "expected a value, but found `]`", "hint": "",
        },
    ]  # fmt: skip
    assert main(["krl", "check", "--json", file(GOOD)]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == []


def test_no_file_and_a_missing_one(tmp_path, capsys):
    assert main(["krl", "check"]) == Exit.USAGE
    assert "no KRL file is named" in capsys.readouterr().err
    assert main(["krl", "check", str(tmp_path / "none.krl")]) == Exit.USAGE
    assert "cannot read" in capsys.readouterr().err


def test_the_name_of_a_file_does_not_drive_the_terminal(file, capsys):
    assert main(["krl", "check", file(BAD, "a\x1b[31m.krl")]) == Exit.FAILED
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.processes
def test_standard_input_in_a_process_of_its_own():
    words = [sys.executable, "-m", "pico_node.cli.main", "krl", "check", "-"]
    done = subprocess.run(words, input=BAD, capture_output=True, text=True, check=False)
    assert done.returncode == Exit.FAILED
    assert done.stdout.startswith("-:3:9: error: nothing declares `y`\n")
    assert done.stderr == ""


@pytest.mark.processes
def test_other_commands_do_not_wait_for_krl():
    code = (
        "import sys, pico_node.cli.main; print([one for one in sys.modules if one.startswith('pico_engine')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.processes
def test_who_only_reads_krl_does_not_load_what_runs_it():
    code = "import sys, pico_engine.krl; print('pico_engine.krl.compiling' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
