"""`completion bash|zsh|fish`: scripts made from the table of commands."""

from __future__ import annotations

from pico_node.cli.context import Context
from pico_node.cli.grammar import PROGRAM, Argument, Command, Option
from pico_node.cli.kinds import FLAG

SHELLS = ("bash", "zsh", "fish")


def completion(context: Context) -> None:
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[context["shell"]](), end="")


def _options() -> dict[str, list[Option]]:
    """For each place (a command's words, or nothing for the program itself) the options there."""
    from pico_node.cli.commands import COMMANDS, COMMON, GROUPS

    places: dict[str, list[Option]] = {"": list(COMMON), **{word: [] for word in GROUPS}}
    for command in COMMANDS:
        places[command.name] = [*command.options, *COMMON]
    return places


def _words() -> dict[str, list[str]]:
    """For each place the words that may come next."""
    from pico_node.cli.commands import COMMANDS

    words: dict[str, list[str]] = {place: [] for place in _options()}
    for command in COMMANDS:
        for depth, word in enumerate(command.words):
            here = words[" ".join(command.words[:depth])]
            if word not in here:
                here.append(word)
        for argument in command.arguments:
            words[command.name].extend(argument.choices)
    return words


def _flags(options: list[Option]) -> list[str]:
    flags = [f"--{option.name}" for option in options]
    return flags + [f"--no-{option.name}" for option in options if option.kind is FLAG] + ["--help"]


def _cases(options: dict[str, list[Option]], words: dict[str, list[str]]) -> str:
    """The lines of a shell's case statement: what may come at each place."""
    return "".join(
        f'    "{place}") found="{" ".join([*words[place], *_flags(options[place])])}" ;;\n'
        for place in options
    )


def _places(options: dict[str, list[Option]]) -> str:
    return "|".join(f'"{place}"' for place in options if place)


def _bash() -> str:
    options, words = _options(), _words()
    return f"""# bash completion for {PROGRAM}: eval "$({PROGRAM} completion bash)"
_{PROGRAM}() {{
  local place="" next word found=""
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    next="${{place:+$place }}$word"
    case "$next" in
      {_places(options)}) place="$next" ;;
    esac
  done
  case "$place" in
{_cases(options, words)}  esac
  mapfile -t COMPREPLY < <(compgen -W "$found" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -o default -F _{PROGRAM} {PROGRAM}
"""


def _zsh() -> str:
    options, words = _options(), _words()
    return f"""#compdef {PROGRAM}
# zsh completion for {PROGRAM}: eval "$({PROGRAM} completion zsh)"
_{PROGRAM}() {{
  local place="" next word found=""
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    next="${{place:+$place }}$word"
    case "$next" in
      {_places(options)}) place="$next" ;;
    esac
  done
  case "$place" in
{_cases(options, words)}  esac
  compadd -- ${{=found}}
  _files
}}
compdef _{PROGRAM} {PROGRAM}
"""


def _fish() -> str:
    from pico_node.cli.commands import COMMANDS, GROUPS

    options = _options()
    tests = " ".join(f'"{place}"' for place in options if place)
    about = {**GROUPS, **{command.name: command.about for command in COMMANDS}}
    lines = [
        f"# fish completion for {PROGRAM}: {PROGRAM} completion fish | source",
        f"function __{PROGRAM}_at",
        '  set -l place ""',
        "  for word in (commandline -opc)[2..]",
        '    set -l next (string trim -- "$place $word")',
        f'    contains -- "$next" {tests}; and set place "$next"',
        "  end",
        '  test "$place" = "$argv[1]"',
        "end",
    ]
    for place, words in _words().items():
        at = f"complete -c {PROGRAM} -n '__{PROGRAM}_at \"{place}\"'"
        for word in words:
            text = about.get(f"{place} {word}".strip(), "")
            lines.append(f"{at} -a {word} -d '{_quoted(text)}'")
        for option in options[place]:
            takes = "" if option.kind is FLAG else " -r"
            lines.append(f"{at} -l {option.name}{takes} -d '{_quoted(option.about)}'")
            if option.kind is FLAG:
                lines.append(f"{at} -l no-{option.name}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


COMMANDS = (
    Command(
        ("completion",),
        "print a script that completes commands in a shell",
        completion,
        (Argument("shell", "the shell", choices=SHELLS),),
    ),
)
