"""`krl fmt`: printing, checking, showing what would change, writing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pico_node.cli.exits import Exit
from pico_node.cli.main import main

FORMED = "ruleset a {\n  global {\n    x = 1 // one\n  }\n}\n"
UGLY = "ruleset a{\n  global {\nx=1 // one\n  }}"
BAD = "ruleset a { global { x = } }"
DIFF = """--- {name}
+++ {name} (formatted)
@@ -1,4 +1,6 @@
-ruleset a{{
+ruleset a {{
   global {{
-x=1 // one
-  }}}}
+    x = 1 // one
+  }}
+}}
+
"""


@pytest.fixture
def file(tmp_path):
    def make(text: str, name: str) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return str(path)

    return make


def test_texts_are_printed(file, capsys):
    names = [file(UGLY, "a.krl"), file(FORMED, "b.krl")]
    assert main(["krl", "fmt", *names]) == Exit.OK
    assert capsys.readouterr() == (FORMED * 2, "")


def test_files_are_written_where_they_change(file, tmp_path, capsys):
    ugly, formed = file(UGLY, "a.krl"), file(FORMED, "b.krl")
    before = (tmp_path / "b.krl").stat().st_ino
    assert main(["krl", "fmt", "--write", ugly, formed]) == Exit.OK
    assert capsys.readouterr() == (f"{ugly}: formatted\n", "")
    assert (tmp_path / "a.krl").read_bytes() == FORMED.encode()
    assert (tmp_path / "b.krl").stat().st_ino == before
    assert main(["krl", "fmt", "--check", ugly, formed]) == Exit.OK
    assert capsys.readouterr() == ("", "")


def test_checking_changes_nothing(file, tmp_path, capsys):
    name = file(UGLY, "a.krl")
    assert main(["krl", "fmt", "--check", name]) == Exit.FAILED
    assert capsys.readouterr() == (f"{name}: would be formatted\n", "")
    assert (tmp_path / "a.krl").read_text() == UGLY


def test_what_would_change(file, capsys):
    name = file(UGLY, "a.krl")
    assert main(["krl", "fmt", "--diff", name]) == Exit.FAILED
    assert capsys.readouterr() == (DIFF.format(name=name), "")
    assert main(["krl", "fmt", "--diff", file(FORMED, "b.krl")]) == Exit.OK
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", [[], ["--check"], ["--diff"], ["--write"]])
def test_what_is_no_krl_is_left_alone_and_the_others_are_done(file, tmp_path, capsys, mode):
    bad, formed = file(BAD, "a.krl"), file(FORMED, "b.krl")
    assert main(["krl", "fmt", *mode, bad, formed]) == Exit.FAILED
    told = capsys.readouterr()
    assert told.err.startswith(f"{bad}:1:26: error: expected a value, but found `}}`\n")
    assert told.out == ("" if mode else FORMED)
    assert (tmp_path / "a.krl").read_text() == BAD


def test_what_programs_get(file, capsys):
    ugly, bad = file(UGLY, "a.krl"), file(BAD, "b.krl")
    assert main(["krl", "fmt", "--json", ugly, bad]) == Exit.FAILED
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"file": ugly, "changed": True, "errors": [], "text": FORMED}
    assert (second["changed"], [one["code"] for one in second["errors"]]) == (False, ["syntax"])
    main(["krl", "fmt", "--json", "--diff", ugly])
    assert json.loads(capsys.readouterr().out)[0]["diff"] == DIFF.format(name=ugly)
    main(["krl", "fmt", "--json", "--check", ugly])
    assert json.loads(capsys.readouterr().out) == [{"file": ugly, "changed": True, "errors": []}]


def test_modes_that_do_not_go_together(file, capsys):
    assert main(["krl", "fmt", "--check", "--write", file(UGLY, "a.krl")]) == Exit.USAGE
    assert "--check and --write do not go together" in capsys.readouterr().err


def test_line_ends_within_strings_stay(file, tmp_path):
    name = file('ruleset a {\r\n global { x = "a\r\nb" }\r\n}\r\n', "a.krl")
    assert main(["krl", "fmt", "--write", name]) == Exit.OK
    assert (tmp_path / "a.krl").read_bytes() == b'ruleset a {\n  global {\n    x = "a\r\nb"\n  }\n}\n'


@pytest.mark.processes
def test_standard_input_in_a_process_of_its_own():
    words = [sys.executable, "-m", "pico_node.cli.main", "krl", "fmt", "-"]
    done = subprocess.run(words, input=UGLY.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (Exit.OK, FORMED.encode(), b"")
    done = subprocess.run([*words, "--write"], input=UGLY.encode(), capture_output=True, check=False)
    assert done.returncode == Exit.USAGE
