"""Compiled modules are used while they are what the engine's texts say, and do what the texts do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pico_native
from pico_native import INDEX, MODULES, SOURCES, SWITCH, Finder, compiled_modules, digest_of_sources, folder
from pico_native import compile as compiling

needs_compiled = pytest.mark.skipif(not pico_native.IS_USED, reason="the engine is not compiled here")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder as the compiler leaves it, with files that nobody loads."""
    files = {f"pico_engine.{name}": f"{name}.so" for name in MODULES}
    for file in files.values():
        (tmp_path / file).touch()
    (tmp_path / INDEX).write_text(json.dumps({"sources": "abc", "modules": files}))
    return tmp_path


def test_every_compiled_module_is_there() -> None:
    assert [name for name in MODULES if not (SOURCES / f"{name}.py").exists()] == []


def test_what_was_compiled_is_found(made: Path) -> None:
    found = compiled_modules(made, "abc")
    assert sorted(found) == sorted(f"pico_engine.{name}" for name in MODULES)
    finder = Finder(found)
    spec = finder.find_spec("pico_engine.turn", None)
    assert spec is not None
    assert spec.origin == str(made / "turn.so")
    assert finder.find_spec("pico_engine.values", None) is None


@pytest.mark.parametrize(
    "index", ["", "{", "[]", "{}", '{"sources": "abc"}', '{"sources": "abc", "modules": [1]}', "\xff"]
)
def test_a_damaged_index_means_that_nothing_is_compiled(made: Path, index: str) -> None:
    (made / INDEX).write_text(index, encoding="latin-1")
    assert compiled_modules(made, "abc") == {}


def test_modules_of_other_texts_do_not_count(made: Path) -> None:
    assert compiled_modules(made, "abd") == {}


def test_a_module_whose_file_is_gone_takes_the_others_along(made: Path) -> None:
    (made / "turn.so").unlink()
    assert compiled_modules(made, "abc") == {}


def test_any_text_of_the_engine_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    before = digest_of_sources(tmp_path)
    (tmp_path / "b.py").write_text("b = 1\n")
    assert digest_of_sources(tmp_path) != before


def test_without_a_compiler_it_stays_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(_work: Path, _made: Path) -> dict[str, str]:
        raise compiling.CannotCompileError("the C compiler failed: no cc")

    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(compiling, "_build", cannot)
    monkeypatch.setattr(compiling, "folder", lambda: tmp_path / "built" / "here")
    assert compiling.main([]) == 1
    assert compiling.main(["--optional"]) == 0
    assert "it stays plain Python" in capsys.readouterr().out
    assert not (tmp_path / "built" / "here").exists()
    assert list((tmp_path / "built").iterdir()) == [], "nothing is left lying about"


@pytest.mark.slow
def test_a_machine_without_a_c_compiler_is_told_so(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pico_native.compile import CannotCompileError, compile_modules\n"
        "try:\n"
        "    compile_modules(Path(sys.argv[1]))\n"
        "except CannotCompileError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "here")],
        env={**os.environ, "CC": str(tmp_path / "no-compiler")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the C compiler failed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(compiling.CannotCompileError, match="cannot be written"):
        compiling.compile_modules(tmp_path / "file" / "here")


def test_a_text_that_changes_meanwhile_makes_it_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_work: Path, made: Path) -> dict[str, str]:
        made.mkdir()
        monkeypatch.setattr(compiling, "digest_of_sources", lambda: "another")
        return {}

    monkeypatch.setattr(compiling, "_build", build)
    with pytest.raises(compiling.CannotCompileError, match="changed while it was compiled"):
        compiling.compile_modules(tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_the_switch_says_that_there_is_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SWITCH, "1")
    assert compiling.main([]) == 0
    assert "plain Python" in capsys.readouterr().out


def outcome(*, pure: bool) -> tuple[str, str]:
    """What a simulated world of two nodes came to, and the file that its engine's turns are run by."""
    program = (
        "import pico_engine.turn, pico_simnet.runs as world\n"
        "told = world.run(7)\n"
        "print(told.failure, told.digest)\n"
        "print(pico_engine.turn.__file__)\n"
    )
    environment = {**os.environ, SWITCH: "1" if pure else ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    digest, file = done.stdout.splitlines()
    return digest, file


@needs_compiled
def test_compiled_or_not_a_simulated_world_is_the_same() -> None:
    compiled, file = outcome(pure=False)
    assert file.startswith(str(folder()))
    plain, text = outcome(pure=True)
    assert text == str(SOURCES / "turn.py")
    assert compiled == plain
