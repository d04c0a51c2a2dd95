"""Where an option's value comes from: the option, else the environment, else the file, else the default.

The same rule for every option: `--my-role` of `picomesh invite` is PICOMESH_INVITE_MY_ROLE in the environment
and `my_role` in the table `[invite]` of `<config>/picomesh/config.toml`; options that all commands have, like
`--home`, are PICOMESH_HOME and stand at the top of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pico_node.cli.errors import UsageError
from pico_node.cli.grammar import Command, Option

CONFIG_FILE = "picomesh/config.toml"
CONFIG_MAX_BYTES = 1_048_576
"""A configuration is written by hand; a larger file is another one."""


def config_path(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / CONFIG_FILE


def default_home(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local/share") / "picomesh"


def variable_name(option: Option, command: Command | None = None) -> str:
    """The environment variable of an option; `command` is None for options that all commands have."""
    words = ("picomesh", *(command.words if command else ()), option.dest)
    return "_".join(words).upper().replace("-", "_")


def read_config(path: Path) -> dict[str, Any]:
    """The file's content; nothing if there is no file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "correct the file's permissions") from None
    if len(data) > CONFIG_MAX_BYTES:
        raise UsageError(f"{path} is larger than {CONFIG_MAX_BYTES:,} bytes", "keep only settings in it")
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}", "correct the file") from None


def check_config(
    config: Mapping[str, Any], commands: Iterable[Command], common: Iterable[Option], path: Path
) -> None:
    """Raises UsageError for a key that means nothing: a misspelt setting must not be ignored in silence."""
    known: dict[str, set[str]] = {}
    for command in commands:
        if command.options:
            known[command.section] = {option.dest for option in command.options}
    top = {option.dest for option in common}
    for key, value in config.items():
        if key in top and not isinstance(value, dict):
            continue
        if key not in known or not isinstance(value, dict):
            raise UsageError(
                f"{path} has an unknown setting `{key}`", "docs/reference/configuration.md lists all"
            )
        strange = sorted(set(value) - known[key])
        if strange:
            raise UsageError(
                f"{path} has an unknown setting `{strange[0]}` in [{key}]",
                f"known there: {', '.join(sorted(known[key]))}",
            )


def resolve(
    option: Option,
    command: Command | None,
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    config: Mapping[str, Any],
) -> Any:
    """The option's value. Raises UsageError, which says where the wrong value stands."""
    if option.dest in given:
        return _read(option, given[option.dest], f"--{option.name}")
    variable = variable_name(option, command)
    if variable in environment:
        text = environment[variable]
        values = [part.strip() for part in text.split(",") if part.strip()] if option.many else text
        return _read(option, values, variable)
    table = config.get(command.section, {}) if command else config
    if option.dest in table:
        where = f"{option.dest} in [{command.section}]" if command else option.dest
        return _read(option, table[option.dest], f"{where} of the configuration file")
    return option.default


def _read(option: Option, value: Any, where: str) -> Any:
    if option.many:
        if not isinstance(value, list):
            raise UsageError(f"{where} must be a list, not {value!r}", 'write ["…", "…"]')
        return tuple(_read_one(option, item, where) for item in value)
    return _read_one(option, value, where)


def _read_one(option: Option, value: Any, where: str) -> Any:
    try:
        result = option.kind.read(value)
    except ValueError:
        raise UsageError(f"{where} must be {option.kind.wanted}, not {value!r}", option.about) from None
    if option.choices and result not in option.choices:
        raise UsageError(f"{where} must be one of {', '.join(option.choices)}, not {value!r}", option.about)
    return result
