"""Which kinds of DIDComm messages become which events in a pico, as its rulesets have asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.values import EMPTY_MAP, FrozenMap, freeze

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_engine.values import Json

ROUTES_MAX: Final = 256
"""Kinds of messages that one ruleset may route: they are looked through for each message that comes."""
_ROUTES: Final = "routes/"
"""Where the pico's facts have them, by ruleset."""


def keep_route(pico: Pico, rid: str, message_type: Json, domain: Json, name: Json) -> FrozenMap:
    """Messages of this type become the event `domain:name` in the pico; answers all routes of the ruleset.

    Raises QueryMayNotWrite; BadRequest for what is no text; LimitExceeded beyond ROUTES_MAX.
    """
    pico.engine.check_may_write(pico)
    if not all(isinstance(one, str) and one for one in (message_type, domain, name)):
        raise BadRequest(
            "a route needs a type, a domain and a name, none of them empty",
            "give the message's type and the two parts of the event's name as texts",
        )
    routes: dict[str, Json] = dict(routes_of(pico, rid))
    routes[message_type] = {"domain": domain, "name": name}
    if len(routes) > ROUTES_MAX:
        raise LimitExceeded(f"{rid} routes more than {ROUTES_MAX} kinds of messages")
    kept: FrozenMap = freeze(routes)
    pico.info.put(_ROUTES + rid, kept)
    return kept


def drop_routes(pico: Pico, rid: str) -> None:
    """The ruleset goes, and its routes with it."""
    if _ROUTES + rid in pico.info.rows:
        pico.info.delete(_ROUTES + rid)


def routes_of(pico: Pico, rid: str) -> FrozenMap:
    """{type: {domain, name}} of what a ruleset routes."""
    routes: FrozenMap = pico.info.rows.get(_ROUTES + rid, EMPTY_MAP)
    return routes


def route_of(pico: Pico, message_type: str) -> tuple[str, str] | None:
    """The event (domain, name) that messages of this type become in the pico; the newest ruleset's route."""
    for rid in sorted(pico.installed.rows, key=lambda rid: pico.installed.rows[rid]["order"], reverse=True):
        found = routes_of(pico, rid).get(message_type)
        if found is not None:
            return found["domain"], found["name"]
    return None
