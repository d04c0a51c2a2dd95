"""`invite`, `accept`, `connections`, `disconnect`: relationships with picos elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from pico_node.cli.client import path
from pico_node.cli.commands.picos import PICO
from pico_node.cli.context import Context
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import DURATION, PATH
from pico_node.cli.output import facts, printable, room, short, table

EXPIRES_DEFAULT_S = 7 * 24 * 3_600
"""A week: long enough for a letter, short enough to be forgotten safely."""
_QR_BORDER = 2


def invite(context: Context) -> None:
    if context["qr"] and context["qr"].suffix not in (".svg", ".png"):
        raise UsageError(f"--qr {context['qr']} has no known kind", "end the name with .svg or .png")
    answer = context.client.post(
        path("picos", context.pico, "invitations"),
        name=context["name"],
        my_role=context["my_role"],
        their_role=context["their_role"],
        label=context["label"],
        expires_s=context["expires"],
        audience=context["audience"] if context["audience"] != "picomesh" else None,
    )
    if context["qr"]:
        write_qr(answer["url"], context["qr"])

    def human(told: Any) -> str:
        columns, lines = room()
        return "\n".join(filter(None, (qr_blocks(told["url"], columns, lines), printable(told["url"]))))

    context.show(answer, human)


def write_qr(url: str, file: Path) -> None:
    """Save a QR code. Raises CliError if the text is too long for one, OSError."""
    import segno

    try:
        code = segno.make_qr(url, error="l", boost_error=False)
    except segno.DataOverflowError:
        raise CliError("the link is too long for a QR code", "send the link itself") from None
    code.save(str(file), scale=4, border=4)


def qr_blocks(url: str, columns: int, lines: int) -> str:
    """The QR code as blocks of text, or nothing if it does not fit."""
    import segno

    try:
        code = segno.make_qr(url, error="l", boost_error=False)
    except segno.DataOverflowError:
        return ""
    width, height = code.symbol_size(border=_QR_BORDER)
    if width > columns or height // 2 + 3 > lines:
        return ""
    drawn = io.StringIO()
    code.terminal(out=drawn, border=_QR_BORDER, compact=True)
    return drawn.getvalue().rstrip("\n")


def accept(context: Context) -> None:
    answer = context.client.post(
        path("picos", context.pico, "connections"), url=context["url"], name=context["name"]
    )
    context.show(answer, lambda told: facts(told.items()))


def connections(context: Context) -> None:
    def human(found: Any) -> str:
        rows = (
            (one["id"], short(one.get("pico_name") or one.get("pico", "")), one.get("name", ""), one["state"],
             "yes" if one.get("online") else "no", one.get("unacknowledged", 0), short(one.get("Tx") or ""))
            for one in found
        )  # fmt: skip
        return table(("id", "pico", "name", "state", "online", "waiting", "tx"), rows, "no connections")

    where = path("picos", context.pico, "connections") if context["pico"] else path("connections")
    context.show(context.client.get(where), human)


def disconnect(context: Context) -> None:
    answer = context.client.delete(path("picos", context.pico, "connections", context["id"]))
    context.show(answer, lambda _: f"ended connection {context['id']}")


COMMANDS = (
    Command(
        ("invite",),
        "make an invitation: a link, good for one connection",
        invite,
        (PICO,),
        (
            Option("name", "what this pico calls the connection"),
            Option("my-role", "this pico's role in it", value="ROLE"),
            Option("their-role", "the other side's role in it", value="ROLE"),
            Option("label", "what the invited person is shown"),
            Option("expires", "how long it is good: 90s, 30m, 12h, 7d", DURATION, default=EXPIRES_DEFAULT_S),
            Option(
                "audience",
                "whom it is for: picomesh nodes, any DIDComm agent, or the existing engine",
                default="picomesh",
                choices=("picomesh", "didcomm", "pico-engine"),
                value="KIND",
            ),
            Option("qr", "write a QR code to this .svg or .png file", PATH, value="FILE"),
        ),
    ),
    Command(
        ("accept",),
        "accept an invitation",
        accept,
        (PICO, Argument("url", "the invitation's link")),
        (Option("name", "what this pico calls the connection"),),
    ),
    Command(
        ("connections",),
        "list the connections of a pico, or without one of all",
        connections,
        (Argument("pico", "a pico's DID or name", "?"),),
    ),
    Command(("disconnect",), "end a connection", disconnect, (PICO, Argument("id", "the connection's id"))),
)
