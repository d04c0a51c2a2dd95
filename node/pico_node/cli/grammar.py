"""The words of the command line: commands, arguments and options as data, and the parser made from them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pico_node.cli.errors import UsageError
from pico_node.cli.kinds import FLAG, TEXT, Kind

if TYPE_CHECKING:
    from pico_node.cli.context import Context

PROGRAM = "picomesh"


class Option(NamedTuple):
    """An option `--name`; also a setting. A flag has a `--no-name` beside it."""

    name: str
    about: str
    kind: Kind = TEXT
    default: Any = None
    many: bool = False
    value: str = ""
    choices: tuple[str, ...] = ()

    @property
    def dest(self) -> str:
        return self.name.replace("-", "_")


class Argument(NamedTuple):
    """A word that a command takes. `often`: once if empty, `?` (may be left out), `*` (any number)."""

    name: str
    about: str
    often: str = ""
    choices: tuple[str, ...] = ()


class Command(NamedTuple):
    """One command: its words (`pico new`), what it takes, and what it does."""

    words: tuple[str, ...]
    about: str
    run: Callable[[Context], int | None]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def section(self) -> str:
        """The table of the configuration file with this command's options."""
        return "-".join(self.words)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` tells what it takes")


def build_parser(
    commands: Iterable[Command], groups: dict[str, str], common: tuple[Option, ...]
) -> argparse.ArgumentParser:
    """The parser. Options that were not given are absent from its result, for settings.py to fill in."""
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    for option in common:
        _add_option(shared, option)
    about = "A node that hosts picos and connects them with those of other nodes."
    parser = _Parser(prog=PROGRAM, description=about, parents=[shared], allow_abbrev=False)
    parser.add_argument("--version", action="store_true", default=argparse.SUPPRESS, help="show the version")
    parser.set_defaults(command=None)
    children = parser.add_subparsers(title="commands", metavar="COMMAND")
    nested = {}
    for word, text in groups.items():
        group = children.add_parser(word, help=text, description=text, allow_abbrev=False)
        group.set_defaults(command=None, group=word)
        nested[word] = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        place = nested[command.words[0]] if len(command.words) > 1 else children
        leaf = place.add_parser(
            command.words[-1], help=command.about, description=command.about, parents=[shared],
            allow_abbrev=False, argument_default=argparse.SUPPRESS,
        )  # fmt: skip
        leaf.set_defaults(command=command)
        for argument in command.arguments:
            leaf.add_argument(
                argument.name, nargs=argument.often or None, help=argument.about,
                metavar=argument.name.upper(), choices=argument.choices or None,
                default=[] if argument.often == "*" else None,
            )  # fmt: skip
        for option in command.options:
            _add_option(leaf, option)
    return parser


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    flag = f"--{option.name}"
    if option.kind is FLAG:
        parser.add_argument(
            flag, dest=option.dest, action=argparse.BooleanOptionalAction, help=option.about,
            default=argparse.SUPPRESS,
        )  # fmt: skip
        return
    parser.add_argument(
        flag, dest=option.dest, action="append" if option.many else "store", default=argparse.SUPPRESS,
        metavar=option.value or option.kind.name.upper(), help=option.about.replace("%", "%%"),
    )  # fmt: skip


def commands_meant(commands: tuple[Command, ...], argv: list[str]) -> tuple[Command, ...]:
    """The one command that the words begin with, or all: as making the whole parser takes time."""
    for command in commands:
        if argv[: len(command.words)] == list(command.words):
            return (command,)
    return commands


def parse(parser: argparse.ArgumentParser, argv: list[str]) -> dict[str, Any]:
    """The words as a map; what was not given is absent. Raises UsageError.

    A command that takes any number of words takes them after options too, which argparse alone does not.
    """
    known, rest = parser.parse_known_args(argv)
    given = vars(known)
    command: Command | None = given.get("command")
    if rest:
        open_ended = [one.name for one in command.arguments if one.often == "*"] if command else []
        strange = [word for word in rest if word.startswith("-")]
        if not open_ended or strange:
            where = f"{PROGRAM} {command.name}" if command else PROGRAM
            raise UsageError(
                f"{where} does not take {(strange or rest)[0]!r}", f"`{where} --help` tells what it takes"
            )
        given[open_ended[0]] = [*given[open_ended[0]], *rest]
    return given
