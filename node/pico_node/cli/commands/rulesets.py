"""`ruleset install|ls|rm`: also brings a file of one's own into the node."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pico_node.cli.client import path
from pico_node.cli.commands.picos import PICO
from pico_node.cli.context import Context
from pico_node.cli.errors import NodeSaidNo, UsageError
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import JSON_MAP
from pico_node.cli.output import table
from pico_node.names import RULESETS_FOLDER_NAME

FILE_MAX_BYTES = 1_048_576
"""Source code written by people is far smaller."""
_FILE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.py")


def install(context: Context) -> None:
    word = context["ruleset"]
    if "://" in word or word.endswith(".krl"):
        url = word if "://" in word else Path(word).absolute().as_uri()
        where = path("picos", context.pico, "rulesets")
        answer = context.client.post(where, url=url, config=context["config"])
        context.show(
            answer,
            lambda told: "\n".join(
                [*told.get("warnings", ()), f"installed {told['rid']} from {told['url']}"]
            ),
        )
        return
    rids = bring(Path(word), context) if word.endswith(".py") else [word]
    answers = [
        context.client.post(path("picos", context.pico, "rulesets"), rid=rid, config=context["config"])
        for rid in rids
    ]
    context.show(
        answers[0] if len(answers) == 1 else answers, lambda _: "\n".join(f"installed {rid}" for rid in rids)
    )


def bring(file: Path, context: Context) -> list[str]:
    """Copy a ruleset's file into the home and have the node load it; answers the ids found in it.

    The file becomes the node's own code: it may do whatever the node's user may.
    """
    source = _read(file)
    rids = rids_in(source, file)
    folder = context.home / RULESETS_FOLDER_NAME
    folder.mkdir(mode=0o700, exist_ok=True)
    _write_private(folder / file.name, source)
    known = context.client.post(path("rulesets", "load"))["known"]
    missing = [rid for rid in rids if rid not in known]
    if missing:
        raise NodeSaidNo(
            f"the node could not load {missing[0]} from {folder / file.name}",
            "`picomesh logs` tells why; correct the file and install it again",
            "ruleset-definition",
            500,
        )
    return rids


def _read(file: Path) -> bytes:
    if not _FILE_NAME.fullmatch(file.name):
        raise UsageError(f"{file.name!r} is no name of a Python module", "rename it to letters, digits and _")
    try:
        with file.open("rb") as opened:
            source = opened.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}", "name a readable file, or a ruleset's id"
        ) from None
    if len(source) > FILE_MAX_BYTES:
        raise UsageError(f"{file} is larger than {FILE_MAX_BYTES:,} bytes", "split it")
    return source


def rids_in(source: bytes, file: Path) -> list[str]:
    """The ids of the rulesets that a file defines, without running it. Raises UsageError."""
    import ast

    try:
        tree = ast.parse(source, str(file))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not valid Python: {error}", "correct the file") from None
    rids = [
        keyword.value.value
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for keyword in node.keywords
        if keyword.arg == "rid"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    ]
    if not rids:
        raise UsageError(
            f"{file} defines no ruleset",
            'write one like `class Thermometer(Ruleset, rid="org.example.thermometer"):`',
        )
    return rids


def _write_private(target: Path, source: bytes) -> None:
    """Replace the file at once, readable by its owner only: the node must never see half of it."""
    beside = target.with_suffix(f".{os.getpid()}.part")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(source)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def ls(context: Context) -> None:
    def human(rulesets: Any) -> str:
        rows = (
            (one["rid"], one.get("version", ""), one.get("description") or one.get("name", ""))
            for one in rulesets
        )
        return table(("ruleset", "version", "about"), rows, "no rulesets")

    where = path("picos", context.pico, "rulesets") if context["pico"] else path("rulesets")
    context.show(context.client.get(where), human)


def flush(context: Context) -> None:
    word = context["url"]
    url = word if "://" in word else Path(word).absolute().as_uri()
    answer = context.client.post(path("rulesets", "flush"), url=url)

    def human(told: Any) -> str:
        lines = [f"{told['rid']} is {told['hash'][:12]}… now", *(told["warnings"])]
        return "\n".join(lines)

    context.show(answer, human)


def urls(context: Context) -> None:
    def human(editions: Any) -> str:
        rows = ((one["rid"], one["hash"][:12], one["url"]) for one in editions)
        return table(("ruleset", "hash", "url"), rows, "no rulesets came from URLs")

    context.show(context.client.get(path("rulesets", "urls")), human)


def rm(context: Context) -> None:
    answer = context.client.delete(path("picos", context.pico, "rulesets", context["rid"]))
    context.show(answer, lambda _: f"uninstalled {context['rid']}")


COMMANDS = (
    Command(
        ("ruleset", "install"),
        "install a ruleset in a pico: by its id, from a URL, or from a file",
        install,
        (
            PICO,
            Argument(
                "ruleset",
                "an id; the URL or file of one in KRL; or a .py file, which is copied into the node's home",
            ),
        ),
        (Option("config", "its configuration, a JSON object", JSON_MAP),),
    ),
    Command(
        ("ruleset", "flush"),
        "fetch a ruleset's URL anew, for all picos that use it",
        flush,
        (Argument("url", "the URL, or the file, that it was installed from"),),
    ),
    Command(("ruleset", "urls"), "list the URLs that rulesets came from", urls),
    Command(
        ("ruleset", "ls"),
        "list what is installed in a pico, or without one all that the node knows",
        ls,
        (Argument("pico", "a pico's DID or name", "?"),),
    ),
    Command(
        ("ruleset", "rm"),
        "uninstall a ruleset with its data",
        rm,
        (PICO, Argument("rid", "the ruleset's id")),
    ),
)
