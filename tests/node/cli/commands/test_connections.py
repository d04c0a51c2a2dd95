"""`invite`, `accept`, `connections`, `disconnect`, and QR codes."""

from __future__ import annotations

import pytest
import segno

from pico_node.cli.commands import connections
from pico_node.cli.errors import CliError
from pico_node.cli.exits import Exit
from tests.node.cli.commands.helpers import DID, all_are_in, check

CONNECTION = {"id": "c1", "pico": DID, "pico_name": "kitchen", "name": "n", "state": "established", "Tx": DID}

CASES = [
    (
        "invite kitchen --name n --my-role host --their-role guest --label l --expires 2h",
        (
            "invite",
            {
                "pico": "kitchen",
                "name": "n",
                "my_role": "host",
                "their_role": "guest",
                "label": "l",
                "expires_s": 7200,
            },
        ),
        {"url": "https://x/?_oob=1", "id": "i"},
        "https://x/?_oob=1",
    ),
    ("invite", ("invite", {"pico": "", "expires_s": 604800}), {"url": "https://x/?_oob=1"}, "https://x"),
    ("accept https://x/?_oob=1", ("accept", {"pico": "", "url": "https://x/?_oob=1"}), {"id": "c1"}, "c1"),
    (
        "accept kitchen https://x --name n",
        ("accept", {"pico": "kitchen", "url": "https://x", "name": "n"}),
        {"id": "c1"},
        "c1",
    ),
    ("connections", ("connections", {}), [CONNECTION], "established"),
    ("connections kitchen", ("connections", {"pico": "kitchen"}), [], "no connections"),
    ("disconnect c1", ("connection_end", {"pico": "", "id": "c1"}), {"id": "c1"}, "c1"),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, connections)


async def test_qr_codes(shell, tmp_path, monkeypatch):
    shell.node.answers["invite"] = {"url": "https://x/?_oob=" + "a" * 900}
    file = tmp_path / "code.svg"
    code, out, _ = await shell.run("invite", "--qr", str(file))
    assert code == Exit.OK
    assert "█" not in out
    assert file.read_text().lstrip().startswith("<?xml")
    monkeypatch.setattr(connections, "room", lambda: (200, 100))
    code, out, _ = await shell.run("invite")
    assert "█" in out
    assert "\x1b" not in out
    monkeypatch.setattr(connections, "room", lambda: (80, 24))
    assert "█" not in (await shell.run("invite"))[1]
    assert (await shell.run("invite", "--qr", "code.jpg"))[0] == Exit.USAGE


def test_a_link_too_long_for_a_code(tmp_path):
    url = "https://x/?_oob=" + "a" * 5_000
    assert connections.qr_blocks(url, 10_000, 10_000) == ""
    with pytest.raises(CliError, match="too long"):
        connections.write_qr(url, tmp_path / "code.png")
    assert list(tmp_path.iterdir()) == []


def test_a_code_is_drawn_where_it_fits_and_nowhere_else():
    url = "https://x/?_oob=" + "a" * 100
    width, height = segno.make_qr(url, error="l", boost_error=False).symbol_size(border=2)
    drawn = connections.qr_blocks(url, width, height // 2 + 3)
    assert max(map(len, drawn.split("\n"))) <= width
    assert connections.qr_blocks(url, width - 1, 1_000) == ""
    assert connections.qr_blocks(url, 1_000, height // 2 + 2) == ""


def test_a_code_as_a_picture(tmp_path):
    connections.write_qr("https://x", tmp_path / "code.png")
    assert (tmp_path / "code.png").read_bytes().startswith(b"\x89PNG")


async def test_nothing_is_invited_when_the_picture_cannot_be_made(shell):
    assert (await shell.run("invite", "--qr", "code.jpg"))[0] == Exit.USAGE
    assert shell.node.calls == []
