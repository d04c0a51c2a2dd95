"""`picomesh up`: run a node in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import signal
import sys

import uvloop

from pico_engine.errors import EngineError
from pico_engine.values import Json
from pico_node.driver import THREAD_SWITCH_S
from pico_node.http.app import login_path
from pico_node.http.security import redact
from pico_node.node import Node
from pico_node.options import UpOptions
from pico_node.peers import PeerError

log = logging.getLogger("picomesh.node")

EXIT_OK = 0
EXIT_NODE_ERROR = 7
"""The named exit code of a node that cannot start; docs/reference/exit-codes.md."""

GC_THRESHOLD = 50_000
"""Turns make many short-lived objects that reference counts free; looking for cycles seldom is enough."""


def run(options: UpOptions) -> int:
    """Serve until SIGINT or SIGTERM; answers the exit code."""
    _log_to_stderr(options.log_level)
    try:
        node = Node(options)
    except (EngineError, PeerError) as error:
        return _cannot_start(error)
    gc.set_threshold(GC_THRESHOLD, 20, 20)
    sys.setswitchinterval(THREAD_SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(node))


async def _serve(node: Node) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await node.run_up()
    except (EngineError, PeerError, OSError, ValueError) as error:
        return _cannot_start(error)
    try:
        await _introduce(node)
    except EngineError as error:
        await node.take_down()
        return _cannot_start(error)
    try:
        await stop.wait()
        print("picomesh: stopping", file=sys.stderr)  # noqa: T201 - the terminal is this command's face
    finally:
        await node.take_down()
    return EXIT_OK


async def _introduce(node: Node) -> None:
    """Say what there is and where; the last line says that the node is ready."""
    status = await node.command("status")
    lines = []
    if node.is_new:
        lines += [
            f"made a new node in {node.home.path}",
            f"  its key     {node.home.path / 'node.key'} (keep a copy: it is this node's name)",
            f"  its store   {node.home.store}",
            f"  its root    {status['root']}",
        ]
    else:
        lines.append(f"found the node in {node.home.path} again")
    lines += [f"peer id     {status['peer_id']}"]
    lines += [f"listens on  {address}" for address in status["addresses"]]
    lines += [f"problem     {problem}" for problem in node.ruleset_problems]
    if not _is_loopback(node.options.http[0]):
        lines.append(
            f"careful     HTTP on {node.options.http[0]} is not encrypted; put a proxy with TLS before it"
        )
    if node.compat_context is not None:
        lines.append(
            f"careful     --compat: whoever reaches {node.http_url} owns the root pico; so does any web page "
            "that a browser on this machine shows"
        )
    lines += _about_mediation(node.mediation)
    login = node.http_url + login_path(node.http_app)
    lines.append(f"log in once {login}")
    lines.append(f"ready       {node.http_url}")
    print("\n".join(lines), flush=True)  # noqa: T201 - the terminal is this command's face
    if node.options.open_browser and sys.stdout.isatty():
        import webbrowser

        await asyncio.to_thread(webbrowser.open, login)


def _about_mediation(told: Json) -> list[str]:
    lines = []
    if told["mediator"] is not None:
        lines.append(f"mediator    {told['mediator']['invitation']}")
    if told["mediated_by"] is not None:
        lines.append(f"behind      the mediator {told['mediated_by']['mediator']}")
    return lines


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cannot_start(error: Exception) -> int:
    hint = getattr(error, "hint", "")
    print(f"picomesh: cannot start: {error}" + (f"\n  {hint}" if hint else ""), file=sys.stderr)  # noqa: T201
    return EXIT_NODE_ERROR


class RedactingFormatter(logging.Formatter):
    """Log lines without ECIs, which are capabilities, and without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    ours = logging.getLogger("picomesh")
    ours.addHandler(handler)
    ours.setLevel(level.upper())
    ours.propagate = False
