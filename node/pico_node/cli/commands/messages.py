"""`event` and `query`: to any pico or channel of the node, and over its connections."""

from __future__ import annotations

import json
from typing import Any

from pico_node.cli.client import ROOT_PICO, path
from pico_node.cli.context import Context
from pico_node.cli.errors import UsageError
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import JSON, JSON_MAP
from pico_node.cli.output import printable

_PAIRS = Argument(
    "pairs", "key=value for text, key:=value for JSON; a key that comes again makes a list", "*"
)
_TARGET = Argument("target", "an ECI, a pico's DID or name, or @ for the root pico")


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """`key=value` and `key:=json` as a map. Raises UsageError."""
    result: dict[str, Any] = {}
    seen = set()
    for pair in pairs:
        key, found, text = pair.partition("=")
        value: Any = text
        if key.endswith(":"):
            key = key[:-1]
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"the value of {pair!r} is not JSON: {error}", "write key=value for text"
                ) from None
        if not (key and found):
            raise UsageError(
                f"{pair!r} is not of the form key=value", "write key=value, or key:=value for JSON"
            )
        if key not in seen:
            result[key] = value
        elif isinstance(result[key], list):
            result[key] = [*result[key], value]
        else:
            result[key] = [result[key], value]
        seen.add(key)
    return result


def event(context: Context) -> None:
    answer = context.client.post(
        path("events"),
        target=_target(context),
        name=context["event"],
        attrs={**(context["json_attrs"] or {}), **read_pairs(context["pairs"])},
    )
    context.show(answer, _directives)


def _target(context: Context) -> str:
    target: str = context["target"]
    return "" if target == ROOT_PICO else target


def _directives(answer: Any) -> str:
    lines = [f"event {answer['eid']}"]
    for one in answer.get("directives", ()):
        rid = one.get("meta", {}).get("rid", "")
        options = json.dumps(one.get("options", {}), ensure_ascii=False)
        lines.append(f"  {one.get('name', '')} {options}  {rid}".rstrip())
    return "\n".join(printable(line) for line in lines)


def query(context: Context) -> None:
    given = context["json_args"]
    pairs = read_pairs(context["pairs"])
    if isinstance(given, list) and pairs:
        raise UsageError("arguments by position and by name at once", "give either --json-args or key=value")
    if given is not None and not isinstance(given, dict | list):
        raise UsageError("--json-args must be a JSON object or array", "for instance '[1, 2]'")
    answer = context.client.post(
        path("queries"),
        target=_target(context),
        rid=context["rid"],
        name=context["name"],
        args=given if isinstance(given, list) else {**(given or {}), **pairs},
        pico=context["pico"],
    )
    context.show(answer, lambda told: json.dumps(told["result"], indent=2, ensure_ascii=False))


COMMANDS = (
    Command(
        ("event",),
        "send an event and wait for what it does",
        event,
        (_TARGET, Argument("event", "domain:type"), _PAIRS),
        (Option("json-attrs", "attributes as a JSON object; pairs win", JSON_MAP),),
    ),
    Command(
        ("query",),
        "ask a query",
        query,
        (
            Argument("target", f"{_TARGET.about}, or a connection's Tx or id"),
            Argument("rid", "the ruleset's id"),
            Argument("name", "the query's name"),
            _PAIRS,
        ),
        (
            Option("json-args", "arguments as a JSON object or array; pairs win", JSON),
            Option("pico", "whose connection the target is", value="PICO"),
        ),
    ),
)
