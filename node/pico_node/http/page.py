"""The page at `/`: what the node is and which picos live on it, as static HTML without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape

from pico_engine.values import Json

ROWS_MAX = 200
"""Picos on the page; `picomesh pico ls` lists all."""

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0;
 border-bottom: 1px solid #8884; vertical-align: top; }
td.id { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; } button { font: inherit; } .bad { color: #c33; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every page; nothing is loaded from anywhere, nothing may frame it."""

_STATUS_ROWS = (
    ("version", "Version"), ("root", "Root pico"), ("peer_id", "Peer id"), ("addresses", "Addresses"),
    ("picos_loaded", "Picos in memory"), ("sessions", "Connected nodes"), ("store", "Store"),
    ("home", "Home"),
)  # fmt: skip


def landing_page() -> str:
    """For who is not logged in: how to."""
    return _page(
        "<p>A picomesh node runs here. To see it, its owner runs <code>picomesh login</code> on the machine "
        "of the node and opens the link that it prints.</p>"
    )


def status_page(status: Mapping[str, Json], picos: Sequence[Mapping[str, Json]]) -> str:
    """For the owner: the node's status and its picos."""
    facts = "".join(
        f"<tr><th scope=row>{label}</th><td class=id>{_text(status[key])}</td></tr>"
        for key, label in _STATUS_ROWS
        if key in status
    )
    rows = "".join(_pico_row(pico) for pico in picos[:ROWS_MAX])
    more = "<p>There are more; <code>picomesh pico ls</code> lists them all.</p>"
    return _page(
        f"<h2>Node</h2><table>{facts}</table>"
        "<h2>Picos</h2><table><thead><tr><th scope=col>Name</th><th scope=col>Children</th>"
        f"<th scope=col>DID</th></tr></thead><tbody>{rows}</tbody></table>"
        f"{more if len(picos) > ROWS_MAX else ''}"
        '<form method=post action="/logout"><p><button>Log out</button></p></form>'
    )


def message_page(title: str, text: str) -> str:
    """A page that only says something."""
    return _page(f"<h2>{escape(title)}</h2><p>{escape(text)}</p>")


def _pico_row(pico: Mapping[str, Json]) -> str:
    depth = pico.get("depth", 0)
    indent = "&#8195;" * min(depth if isinstance(depth, int) else 0, 20)
    return (
        f"<tr><td>{indent}{_text(pico.get('name', ''))}</td><td>{_text(pico.get('children', 0))}</td>"
        f"<td class=id>{_text(pico.get('did', ''))}</td></tr>"
    )


def _text(value: Json) -> str:
    if isinstance(value, list | tuple):
        return "<br>".join(escape(str(item)) for item in value)
    return escape(str(value))


def _page(content: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>picomesh</title><style>{_STYLE}</style></head>"
        f"<body><h1>picomesh</h1>{content}</body></html>"
    )
