"""`completion`: scripts that know every word, and work in the shells that are here."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pico_node.cli.commands import COMMANDS
from pico_node.cli.exits import Exit
from pico_node.cli.main import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_word(capsys, shell):
    assert main(["completion", shell]) == Exit.OK
    script = capsys.readouterr().out
    for command in COMMANDS:
        for word in command.words:
            assert word in script
        for option in command.options:
            assert (f"-l {option.name}" if shell == "fish" else f"--{option.name}") in script
    found = shutil.which(shell)
    if found:
        subprocess.run([found, "-n"], input=script, text=True, check=True, capture_output=True)


def test_completion_in_bash(capsys):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    main(["completion", "bash"])
    script = capsys.readouterr().out

    def complete(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        run = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _picomesh; echo ${{COMPREPLY[@]}}"
        return set(
            subprocess.run([bash, "-c", run], text=True, capture_output=True, check=True).stdout.split()
        )

    assert complete("picomesh", "pi") == {"pico"}
    assert complete("picomesh", "pico", "") >= {"new", "ls", "show", "rm"}
    assert complete("picomesh", "invite", "--my") == {"--my-role"}
    assert complete("picomesh", "completion", "f") == {"fish"}
