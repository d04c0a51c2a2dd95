"""`krl check`: all errors and warnings of KRL files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pico_node.cli.context import Context
from pico_node.cli.exits import Exit
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import FLAG
from pico_node.cli.krl_files import KrlFile, read_files
from pico_node.cli.output import printable

if TYPE_CHECKING:
    from pico_engine.krl import Diagnostic

FILES = Argument("files", "files in KRL, folders with such, or - for standard input", "*")


def check_files(context: Context) -> int:
    """Answers 1 when there is an error; with `--strict` also when there is a warning."""
    from pico_engine.krl import check

    files = list(read_files(context["files"]))
    found = [(file, one) for file in files for one in check(file.text)]

    def human(_: Any) -> str:
        shown = [one.render(file.text, printable(file.name)) for file, one in found]
        return "\n\n".join([*shown, _summary(found, len(files))])

    context.show([as_json(file, one) for file, one in found], human)
    refused = [one for _, one in found if one.severity == "error" or context["strict"]]
    return Exit.FAILED if refused else Exit.OK


def as_json(file: KrlFile, one: Diagnostic) -> dict[str, Any]:
    """A diagnostic for programs; lines and columns from 1, the end not included."""
    from pico_engine.krl.diagnostics import position

    start, stop = position(file.text, one.span.start), position(file.text, one.span.stop)
    return {
        "file": file.name,
        "line": start.line,
        "column": start.column,
        "end_line": stop.line,
        "end_column": stop.column,
        "severity": one.severity,
        "code": one.code,
        "message": one.message,
        "hint": one.hint,
    }


def _summary(found: list[tuple[KrlFile, Diagnostic]], files: int) -> str:
    errors = sum(one.severity == "error" for _, one in found)
    told = f"{_number(errors, 'error')}, {_number(len(found) - errors, 'warning')}"
    return f"{told} in {_number(files, 'file')}" if found else f"nothing to say of {_number(files, 'file')}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


COMMANDS = (
    Command(
        ("krl", "check"),
        "tell all errors and warnings of KRL files",
        check_files,
        (FILES,),
        (Option("strict", "let warnings count as errors", FLAG, default=False),),
    ),
)
