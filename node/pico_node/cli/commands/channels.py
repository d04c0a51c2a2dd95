"""`channel new|ls|rm`."""

from __future__ import annotations

from typing import Any

from pico_node.cli.client import path
from pico_node.cli.commands.picos import PICO
from pico_node.cli.context import Context
from pico_node.cli.errors import UsageError
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.output import table


def new(context: Context) -> None:
    answer = context.client.post(
        path("picos", context.pico, "channels"),
        tags=list(context["tag"]),
        event_policy=policy(context["allow_event"], context["deny_event"], ":", ("domain", "name")),
        query_policy=policy(context["allow_query"], context["deny_query"], "/", ("rid", "name")),
    )
    context.show(answer, lambda told: str(told["id"]))


def policy(
    allow: tuple[str, ...], deny: tuple[str, ...], mark: str, fields: tuple[str, str]
) -> dict[str, list[dict[str, str]]] | None:
    """A policy from pairs like `sensor:reading`; None, which allows all, if there are none."""
    if not allow and not deny:
        return None

    def pair(text: str) -> dict[str, str]:
        first, found, second = text.partition(mark)
        if not (first and found and second):
            raise UsageError(f"{text!r} is not of the form {fields[0]}{mark}{fields[1]}", "* stands for any")
        return {fields[0]: first, fields[1]: second}

    return {"allow": [pair(text) for text in allow], "deny": [pair(text) for text in deny]}


def ls(context: Context) -> None:
    def human(channels: Any) -> str:
        rows = (
            (one["id"], ",".join(one.get("tags", ())), ",".join(one.get("doors", ())),
             _policy_text(one.get("eventPolicy"), ":", "domain"),
             _policy_text(one.get("queryPolicy"), "/", "rid"))
            for one in channels
        )  # fmt: skip
        return table(("eci", "tags", "doors", "events", "queries"), rows, "no channels")

    context.show(context.client.get(path("picos", context.pico, "channels")), human)


def _policy_text(told: Any, mark: str, first: str) -> str:
    if not isinstance(told, dict):
        return ""
    pairs = [
        f"{sign}{one.get(first, '')}{mark}{one.get('name', '')}"
        for sign, side in (("", "allow"), ("!", "deny"))
        for one in told.get(side, ())
    ]
    return " ".join(pairs) or "none"


def rm(context: Context) -> None:
    answer = context.client.delete(path("picos", context.pico, "channels", context["eci"]))
    context.show(answer, lambda _: f"deleted channel {context['eci']}")


COMMANDS = (
    Command(
        ("channel", "new"),
        "make a channel; its ECI lets whoever knows it in",
        new,
        (PICO,),
        (
            Option("tag", "a word to find it by; may be repeated", many=True, default=(), value="WORD"),
            Option(
                "allow-event",
                "an event it takes, * for any; may be repeated; all if none is given",
                many=True,
                default=(),
                value="DOMAIN:TYPE",
            ),
            Option(
                "deny-event",
                "an event it refuses; may be repeated",
                many=True,
                default=(),
                value="DOMAIN:TYPE",
            ),
            Option(
                "allow-query",
                "a query it answers, * for any; may be repeated; all if none is given",
                many=True,
                default=(),
                value="RID/NAME",
            ),
            Option(
                "deny-query", "a query it refuses; may be repeated", many=True, default=(), value="RID/NAME"
            ),
        ),
    ),
    Command(("channel", "ls"), "list the channels of a pico", ls, (PICO,)),
    Command(("channel", "rm"), "delete a channel", rm, (PICO, Argument("eci", "the channel's ECI"))),
)
