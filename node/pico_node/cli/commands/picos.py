"""`pico new|ls|show|rm`."""

from __future__ import annotations

import sys
from typing import Any

from pico_node.cli.client import path
from pico_node.cli.context import Context
from pico_node.cli.errors import CliError
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import FLAG, WHOLE
from pico_node.cli.output import facts, short, table

PICO = Argument("pico", "a pico's DID or name; the root pico if left out", "?")
"""The argument of all commands about a pico."""


def new(context: Context) -> None:
    answer = context.client.post(
        path("picos"),
        name=context["name"],
        parent=context["parent"] or None,
        rulesets=list(context["ruleset"]) or None,
    )
    context.show(answer, lambda told: facts(told.items()))


def ls(context: Context) -> None:
    def human(picos: Any) -> str:
        rows = (
            (f"{'  ' * pico.get('depth', 0)}{pico['name']}", pico["children"], pico["did"]) for pico in picos
        )
        return table(("name", "children", "did"), rows, "no picos")

    context.show(context.client.get(path("picos"), limit=context["limit"]), human)


def show(context: Context) -> None:
    context.show(context.client.get(path("picos", context.pico)), _describe)


def _describe(pico: Any) -> str:
    rulesets = table(
        ("ruleset", "version", "available"),
        (
            (one["rid"], one.get("version", ""), "yes" if one.get("available", True) else "NO")
            for one in pico["rulesets"]
        ),
        "no rulesets",
    )
    channels = table(
        ("channel", "tags", "doors"),
        (
            (one["id"], ",".join(one.get("tags", ())), ",".join(one.get("doors", ())))
            for one in pico["channels"]
        ),
        "no channels",
    )
    children = table(("child", "did"), ((one["name"], one["did"]) for one in pico["children"]), "no children")
    connections = (
        f"{len(pico.get('connections', ()))} connections, {len(pico.get('schedule', ()))} scheduled events"
    )
    head = facts((key, pico[key] or "-") for key in ("name", "did", "parent"))
    return "\n\n".join((head, children, rulesets, channels, connections))


def rm(context: Context) -> None:
    if sys.stdin.isatty() and not context["yes"]:
        question = f"Delete the pico {context.pico} with its descendants and all they know? Type yes: "
        if input(question).strip() != "yes":
            raise CliError("nothing was deleted", "answer yes, or give --yes")
    answer = context.client.delete(path("picos", context.pico))
    context.show(answer, lambda told: f"deleted {', '.join(short(did) for did in told['deleted'])}")


COMMANDS = (
    Command(
        ("pico", "new"),
        "make a pico",
        new,
        (Argument("name", "a name for people"),),
        (
            Option("parent", "its parent's DID or name; the root pico if left out", value="PICO"),
            Option("ruleset", "a ruleset to install; may be repeated", many=True, default=(), value="RID"),
        ),
    ),
    Command(
        ("pico", "ls"),
        "list the picos",
        ls,
        options=(Option("limit", "how many at most", WHOLE, default=1000),),
    ),
    Command(("pico", "show"), "show one pico with all it has", show, (PICO,)),
    Command(
        ("pico", "rm"),
        "delete a pico and its descendants",
        rm,
        (Argument("pico", "a pico's DID or name"),),
        (Option("yes", "do not ask", FLAG, default=False),),
    ),
)
