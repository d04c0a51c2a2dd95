"""`up`, `status`, `login`: the node itself."""

from __future__ import annotations

import gc
from typing import Any

from pico_node.cli.client import path
from pico_node.cli.context import Context
from pico_node.cli.grammar import Command, Option
from pico_node.cli.kinds import ADDRESS, FLAG, PATH, URL
from pico_node.cli.output import facts
from pico_node.names import HTTP_PORT_DEFAULT, LOG_LEVELS, MEDIATOR_ADMITS

_STATUS_FIRST = ("http", "root", "peer_id", "addresses", "store", "pid", "home", "version", "uptime_s")


def up(context: Context) -> int:
    """Serve until stopped."""
    from pico_node.options import UpOptions

    options = UpOptions(
        home=context.home,
        http=context["http"],
        listen=context["listen"],
        open_browser=context["browser"],
        mdns=context["mdns"],
        bootstrap=context["bootstrap"],
        log_level=context["log_level"],
        allowed_hosts=context["allowed_host"],
        open_metrics=context["open_metrics"],
        egress_allow=context["egress_allow"],
        ruleset_folders=context["ruleset_folder"],
        watch=context["watch"],
        compat=context["compat"],
        compat_ui=context["compat_ui"],
        public_url=context["public_url"],
        mediator=context["mediator"],
        mediated_by=context["mediated_by"],
        mediator_admits=context["mediator_admits"],
        mediator_limits=context["mediator_limit"],
        engine_limits=context["engine_limit"],
        compat_anywhere=context["compat_anywhere"],
    )
    gc.disable()  # what is loaded stays: looking for garbage in it would take a tenth of the time
    from pico_node.serve import run  # loads the whole node, which no other command needs

    gc.freeze()
    gc.enable()
    return run(options)


def status(context: Context) -> None:
    def human(answer: Any) -> str:
        first = [name for name in _STATUS_FIRST if name in answer]
        return facts((name, answer[name]) for name in [*first, *sorted(set(answer) - set(first))])

    context.show(context.client.get(path("status")), human)


def mediation(context: Context) -> None:
    def human(answer: Any) -> str:
        rows = [
            (f"{name} {key}", value) for name, told in answer.items() for key, value in (told or {}).items()
        ]
        return facts(rows) if rows else "no mediator, and behind none"

    context.show(context.client.get(path("mediation")), human)


def login(context: Context) -> None:
    code = context.client.post(path("login-codes"))
    answer = {"url": context.client.base_url() + code["path"], "expires_s": code["expires_s"]}
    if context["browser"]:
        import webbrowser

        webbrowser.open(answer["url"])
    context.show(answer, lambda told: f"{told['url']}\ngood once, for {told['expires_s'] // 60} minutes")


COMMANDS = (
    Command(
        ("up",),
        "run the node until it is stopped",
        up,
        options=(
            Option(
                "http",
                "where the HTTP doors listen; port 0 takes any free one",
                ADDRESS,
                default=("127.0.0.1", HTTP_PORT_DEFAULT),
            ),
            Option(
                "listen",
                "an address for other nodes; may be repeated",
                many=True,
                default=(),
                value="MULTIADDR",
            ),
            Option("browser", "open a browser, logged in", FLAG, default=True),
            Option("mdns", "find nodes on the local network, and be found", FLAG, default=True),
            Option(
                "bootstrap",
                "a node by which to enter the network; may be repeated",
                many=True,
                default=(),
                value="MULTIADDR",
            ),
            Option(
                "log-level",
                f"how much the log tells: {', '.join(LOG_LEVELS)}",
                default="info",
                choices=LOG_LEVELS,
                value="LEVEL",
            ),
            Option(
                "allowed-host",
                "a host name, beside localhost, under which HTTP requests are taken; may be repeated",
                many=True,
                default=(),
                value="NAME",
            ),
            Option("open-metrics", "show /metrics without the owner's token", FLAG, default=False),
            Option(
                "egress-allow",
                "a host or network, not public, that rulesets may send requests to; may be repeated",
                many=True,
                default=(),
                value="HOST",
            ),
            Option(
                "ruleset-folder",
                "a folder whose files any pico may install as rulesets in KRL; may be repeated",
                PATH,
                many=True,
                default=(),
                value="DIR",
            ),
            Option("watch", "flush rulesets from files when the files change", FLAG, default=False),
            Option(
                "compat",
                "serve the existing engine's HTTP surface, which is open to everybody who reaches the port",
                FLAG,
                default=False,
            ),
            Option(
                "compat-ui", "a folder with the existing engine's web page, shown at /", PATH, value="DIR"
            ),
            Option(
                "public-url",
                "where agents of other makes reach the HTTP doors, if not where they listen",
                URL,
                default="",
                value="URL",
            ),
            Option("mediator", "hold messages for agents that cannot always be reached", FLAG, default=False),
            Option(
                "mediator-admits",
                "whom the mediator serves: who answers its invitation, or anyone",
                default=MEDIATOR_ADMITS[0],
                choices=MEDIATOR_ADMITS,
                value="WHOM",
            ),
            Option(
                "mediator-limit",
                "a limit of the mediator, like clients_max=100; may be repeated",
                many=True,
                default=(),
                value="NAME=NUMBER",
            ),
            Option(
                "engine-limit",
                "a limit of picos and rulesets, like stored_max_bytes=1000000; may be repeated",
                many=True,
                default=(),
                value="NAME=NUMBER",
            ),
            Option(
                "mediated-by",
                "a mediator by which agents of other makes reach this node: its invitation or DID",
                default="",
                value="LINK",
            ),
            Option(
                "compat-anywhere",
                "let --compat serve beyond loopback: whoever reaches the port owns the node",
                FLAG,
                default=False,
            ),
        ),
    ),
    Command(("status",), "show what the node is and how it is", status),
    Command(("mediation",), "show what the node is as a mediator, and at its own", mediation),
    Command(
        ("login",),
        "make a link that logs a browser in",
        login,
        options=(Option("browser", "open it in a browser", FLAG, default=False),),
    ),
)
