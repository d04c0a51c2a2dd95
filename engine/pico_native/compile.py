"""Compiles the engine's busiest modules with mypyc, which needs mypy, setuptools and a C compiler."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from pico_native import INDEX, MODULES, SHARED, SOURCES, SWITCH, compiled_modules, digest_of_sources, folder

PACKAGE = SOURCES.name


class CannotCompileError(Exception):
    """Something that is needed is not there; its text says what."""


def compile_modules(target: Path) -> int:
    """Compile into the folder `target`, replacing what was there; answers how many modules.

    Changes the process's working directory. Raises CannotCompileError; then `target` is as it was.
    """
    digest = digest_of_sources()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="building-", dir=target.parent) as work:
            made = Path(work) / "made"
            files = _build(Path(work), made)
            (made / INDEX).write_text(json.dumps({"sources": digest, "modules": files}, indent=1), "utf-8")
            if digest_of_sources() != digest:
                raise CannotCompileError("a text of the engine changed while it was compiled: try again")
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
    except OSError as error:
        raise CannotCompileError(f"{target} cannot be written: {error}") from error
    return len(files) - 1


def _build(work: Path, made: Path) -> dict[str, str]:
    """Module names and the files made for them in `made`."""
    try:
        from mypyc.build import mypycify
        from setuptools import Distribution
        from setuptools.command.build_ext import build_ext
    except ImportError as error:
        raise CannotCompileError(f"{error}: `pip install mypy setuptools` brings both") from error
    os.chdir(SOURCES.parent)  # mypyc names modules by their paths from here
    try:
        extensions = mypycify(
            [
                f"--cache-dir={work / 'cache'}",
                "--ignore-missing-imports",
                "--follow-imports=silent",
                *(f"{PACKAGE}/{name}.py" for name in MODULES),
            ],
            opt_level="3",
            debug_level="0",
            group_name=SHARED.removesuffix("__mypyc"),
            target_dir=str(work / "c"),
        )
        command = build_ext(Distribution({"name": PACKAGE, "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(made), str(work / "objects")
        command.ensure_finalized()
        command.run()
    except SystemExit as error:
        raise CannotCompileError(f"mypyc refused the engine's texts: {error}") from error
    except Exception as error:  # setuptools raises many kinds, all mean: it did not work
        raise CannotCompileError(f"the C compiler failed: {error}") from error
    wanted = (SHARED, *(f"{PACKAGE}.{name}" for name in MODULES))
    return {name: Path(command.get_ext_filename(name)).as_posix() for name in wanted}


def main(arguments: list[str]) -> int:
    """`python -m pico_native`: 0 when the engine is compiled; when it cannot be 1, with `--optional` 0."""
    if os.environ.get(SWITCH):
        print(f"{SWITCH} is set: the engine runs as plain Python")
        return 0
    target = folder()
    if compiled_modules(target, digest_of_sources()):
        print("the engine is compiled")
        return 0
    print("compiling the engine's busiest modules: this takes about a minute, once", flush=True)
    began = time.monotonic()
    try:
        count = compile_modules(target)
    except CannotCompileError as error:
        print(f"it stays plain Python, which does the same more slowly: {error}")
        return 0 if "--optional" in arguments else 1
    print(f"compiled {count} modules in {time.monotonic() - began:.0f} s")
    return 0
