"""`picomesh`: from words to a command to an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.context import Context
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.exits import Exit
from pico_node.cli.grammar import PROGRAM, Command, build_parser, commands_meant, parse
from pico_node.cli.output import show_error
from pico_node.cli.settings import check_config, config_path, default_home, read_config, resolve


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code; everything that goes wrong is told on standard error."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words  # known before the words are understood, which may fail
    try:
        parser = build_parser(commands_meant(COMMANDS, words), GROUPS, COMMON)
        given = parse(parser, words)
        if given.get("version"):
            return _show_version()
        command: Command | None = given.pop("command")
        if command is None:
            parser.print_help()
            return Exit.USAGE
        context = Context(_values(command, given))
        as_json = context.as_json
        return command.run(context) or Exit.OK
    except CliError as error:
        show_error(error, as_json=as_json)
        return error.exit
    except SystemExit as ended:  # --help
        return ended.code if isinstance(ended.code, int) else Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except OSError as error:
        what = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        show_error(CliError(what, "correct this and try again"), as_json=as_json)
        return Exit.FAILED


def _values(command: Command, given: dict[str, Any]) -> dict[str, Any]:
    """Arguments and options of a command, options from wherever they are set. Raises UsageError."""
    environment = os.environ
    path = config_path(environment)
    config = read_config(path)
    if config:
        check_config(config, COMMANDS, COMMON, path)
    values = {argument.name: given.get(argument.name) for argument in command.arguments}
    for option in COMMON:
        values[option.dest] = resolve(option, None, given, environment, config)
    for option in command.options:
        values[option.dest] = resolve(option, command, given, environment, config)
    values["home"] = values["home"] or default_home(environment)
    if int(values["timeout"] or 0) < 1:
        raise UsageError("--timeout must be at least one second", "leave it out for the default")
    return values


def _show_version() -> int:
    from importlib.metadata import version

    print(PROGRAM, version(PROGRAM))
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
