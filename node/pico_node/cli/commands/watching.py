"""`logs` and `trace`: what happened, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pico_node.cli.client import path
from pico_node.cli.context import Context
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import WHOLE
from pico_node.cli.output import clock, printable, short

_PICO = Argument("pico", "a pico's DID or name; all picos if left out", "?")


def logs(context: Context) -> None:
    def human(entries: Any) -> str:
        return "\n".join(_entry(entry) for entry in entries) or "no log entries"

    context.show(context.client.get(path("logs"), pico=context["pico"], most=context["most"]), human)


def _entry(entry: Any) -> str:
    data = entry.get("data")
    more = "" if data in (None, {}, []) else " " + json.dumps(data, ensure_ascii=False)
    where = f"{short(entry.get('pico', ''))} {entry.get('rid') or '-'}"
    return printable(
        f"{clock(entry.get('time'))} {entry.get('level', ''):<5} {where}: {entry.get('text', '')}{more}"
    )


def trace(context: Context) -> None:
    def human(turns: Any) -> str:
        return "\n\n".join("\n".join(map(printable, _turn(turn))) for turn in turns) or "no turns"

    context.show(context.client.get(path("traces"), pico=context["pico"], most=context["most"]), human)


def _turn(turn: Any) -> Iterator[str]:
    what = " ".join(str(turn.get(key, "")) for key in ("kind", "name"))
    yield f"{clock(turn.get('time'))} {what} -> {turn.get('outcome', '')}  [{turn.get('eid', '')}]"
    sender = short(turn.get("sender") or "-")
    yield f"  pico {short(turn.get('pico', ''))} by {turn.get('door', '')} from {sender}"
    for rule in turn.get("rules", ()):
        name = f"{rule.get('rid', '')}/{rule.get('rule', '')}"
        detail = f" ({rule['detail']})" if rule.get("detail") else ""
        yield f"  rule {name} on {rule.get('event', '')}: {rule.get('outcome', '')}{detail}"
    if turn.get("changed"):
        yield f"  changed {', '.join(str(one) for one in turn['changed'])}"
    for sent in turn.get("sent", ()):
        yield f"  sent {sent.get('event', '')} to {short(sent.get('eci', ''))}"


COMMANDS = (
    Command(
        ("logs",),
        "show what rulesets logged",
        logs,
        (_PICO,),
        (Option("most", "how many entries at most", WHOLE, default=100),),
    ),
    Command(
        ("trace",),
        "show what happened in the last turns: rules considered, changes, events sent",
        trace,
        (_PICO,),
        (Option("most", "how many turns at most", WHOLE, default=20),),
    ),
)
