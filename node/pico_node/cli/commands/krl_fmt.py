"""`krl fmt`: KRL files in their form, which changes white space only."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pico_node.cli.commands.krl_check import FILES, as_json
from pico_node.cli.context import Context
from pico_node.cli.errors import UsageError
from pico_node.cli.exits import Exit
from pico_node.cli.grammar import Command, Option
from pico_node.cli.kinds import FLAG
from pico_node.cli.krl_files import STANDARD_INPUT, KrlFile, read_files, replace_file
from pico_node.cli.output import printable

MODES = ("check", "diff", "write")


def fmt(context: Context) -> int:
    """Answers 1 when a file is no KRL; with `--check` or `--diff` also when one is not in its form."""
    modes = [mode for mode in MODES if context[mode]]
    if len(modes) > 1:
        raise UsageError(f"--{modes[0]} and --{modes[1]} do not go together", "choose one of them")
    mode = modes[0] if modes else ""
    files = list(read_files(context["files"]))
    if mode == "write" and any(file.name == STANDARD_INPUT for file in files):
        raise UsageError("standard input cannot be written", "leave out --write")
    told = [_form(file, mode, quiet=context.as_json) for file in files]
    if context.as_json:
        context.show(told, str)
    else:
        sys.stdout.write("".join(_shown(one, mode) for one in told))
    failed = any(one["errors"] or (one["changed"] and mode in ("check", "diff")) for one in told)
    return Exit.FAILED if failed else Exit.OK


def _form(file: KrlFile, mode: str, *, quiet: bool) -> dict[str, Any]:
    """What is told of a file; writes it if that is the mode, and says on standard error why it is no KRL."""
    from pico_engine.krl import KrlSyntaxError
    from pico_engine.krl.format import format_text

    try:
        formed = format_text(file.text)
    except KrlSyntaxError as error:
        if not quiet:
            print(error.diagnostics[0].render(file.text, printable(file.name)), file=sys.stderr)
        errors = [as_json(file, one) for one in error.diagnostics]
        return {"file": file.name, "changed": False, "errors": errors}
    changed = formed != file.text
    told = {"file": file.name, "changed": changed, "errors": []}
    if mode == "write" and changed:
        replace_file(file.name, formed)
    if mode == "diff":
        return {**told, "diff": _diff(file, formed)}
    return {**told, "text": formed} if not mode else told


def _diff(file: KrlFile, formed: str) -> str:
    from difflib import unified_diff

    from pico_engine.krl.diagnostics import harmless

    before, after = (text.split("\n") for text in (file.text, formed))
    lines = unified_diff(before, after, file.name, f"{file.name} (formatted)", lineterm="")
    return "".join(f"{harmless(line)}\n" for line in lines)


def _shown(told: Mapping[str, Any], mode: str) -> str:
    if mode in ("check", "write"):
        verb = "would be formatted" if mode == "check" else "formatted"
        return f"{printable(told['file'])}: {verb}\n" if told["changed"] else ""
    text: str = told.get("text") or told.get("diff") or ""
    return text


COMMANDS = (
    Command(
        ("krl", "fmt"),
        "print KRL files in their form, or bring them into it",
        fmt,
        (FILES,),
        (
            Option("check", "only name the files that are not in their form", FLAG, default=False),
            Option("diff", "show what would change", FLAG, default=False),
            Option("write", "change the files", FLAG, default=False),
        ),
    ),
)
