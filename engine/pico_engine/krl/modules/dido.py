"""The module `dido`: DIDComm as rulesets of the existing engine ask for it.

The node keeps the keys, packs and unpacks the messages, changes DIDs and fetches documents. So what a ruleset
can do here is write a message, send it on a connection that the pico has (named by the other side's DID), and
say which event a kind of message becomes. The members that would handle keys and documents say who does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pico_engine.channels import clean_tags
from pico_engine.errors import EngineError, LimitExceeded
from pico_engine.krl import persistent
from pico_engine.krl.directives import writing_turn
from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError, type_error
from pico_engine.krl.modules import random
from pico_engine.krl.modules.event import send_event
from pico_engine.krl.modules.member import Member
from pico_engine.krl.values import UNDEFINED, is_number, to_json, to_string, truth, typeof
from pico_engine.routes import keep_route
from pico_engine.values import freeze

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

EVENT_TYPE: Final = "https://picolabs.io/event/1.0/event"
QUERY_TYPE: Final = "https://picolabs.io/query/1.0/query"
"""Messages of the existing engine: their bodies are {domain, name, attrs} and {rid, name, args}."""


# -- messages -----------------------------------------------------------------------------------------------


def _generate_message(run: Instance, messageOptions: Value = UNDEFINED) -> Value:  # noqa: N803 - KRL's name
    """A message in plain text, with an id and the time; `expires_time` is given in seconds from now."""
    given = _map(messageOptions, "dido:generateMessage")
    now = run.now_ms // 1_000
    made: dict[str, Value] = {"id": random.new_id(run), "typ": "application/didcomm-plain+json"}
    made |= {name: given.get(name, UNDEFINED) for name in ("type", "body", "from", "to", "thid", "pthid")}
    made |= {"created_time": now, "attachments": given.get("attachments", UNDEFINED)}
    seconds = given.get("expires_time", UNDEFINED)
    if truth(seconds) and is_number(seconds):
        made["expires_time"] = now + seconds
    return made


def _create_invite_url(run: Instance, base64: Value = UNDEFINED) -> Value:
    host = run.pico.engine.port.base_url
    if not host or "localhost" in host:
        host = "http://example.com"
    return f"{host}/invite?_oob={to_string(base64)}"


def _send(run: Instance, did: Value = UNDEFINED, message: Value = UNDEFINED) -> Value:
    """Sends a message to the other side of a connection when the turn commits.

    One that holds an event is sent as `event:send` does. What cannot be sent is said in the log, as there.
    """
    turn = writing_turn(run)
    try:
        body = _map(_map(message, "dido:send").get("body", UNDEFINED), "the body of a message")
        if message["type"] == EVENT_TYPE:
            name = (body.get("domain", UNDEFINED), body.get("name", UNDEFINED))
            send_event(run, did, name, body.get("attrs", UNDEFINED), UNDEFINED)
        elif not turn.engine.port.send_message(run.pico, to_string(did), freeze(to_json(message, run))):
            raise KrlRuntimeError(
                "Error",
                f"{to_string(did)} is no connection of this pico with an agent that takes such messages",
                "between picomesh nodes go events: send one of the type " + EVENT_TYPE,
            )
    except KrlLimitExceeded:
        raise
    except (EngineError, KeyError) as error:
        run.log("error", f"Error sending did message: {error}", None)
    return UNDEFINED


def _send_query(run: Instance, did: Value = UNDEFINED, message: Value = UNDEFINED) -> Value:
    """What the other side answers to the query in a message. A failure is said in the log, as there."""
    try:
        return _ask(run, did, _map(message, "dido:sendQuery").get("body", UNDEFINED))
    except KrlLimitExceeded:
        raise
    except EngineError as error:
        run.log("error", f"Error sending did query: {error}", None)
        return UNDEFINED


def _prepare_query(run: Instance, did: Value = UNDEFINED, query: Value = UNDEFINED) -> Value:
    return _send_query(run, did, {"body": query})


def _ask(run: Instance, did: Value, query: Value) -> Value:
    asked = _map(query, "a query")
    args = to_json(asked.get("args", UNDEFINED), run)
    rid, name = (to_string(asked.get(one, UNDEFINED)) for one in ("rid", "name"))
    return run.pico.engine.ask(run.pico, to_string(did), rid, name, freeze({} if args is None else args))


def _map(value: Value, what: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise type_error(f"{what} expects a Map, not {typeof(value)}")
    return value


# -- routes -------------------------------------------------------------------------------------------------


def _add_route(
    run: Instance, type: Value = UNDEFINED, domain: Value = UNDEFINED, rule: Value = UNDEFINED
) -> Value:
    """Messages of `type` become the event `domain:rule`, with {message, metadata}; kept in `ent:routes`."""
    if not all(isinstance(one, str) and one for one in (type, domain, rule)):
        raise type_error("dido:addRoute expects the texts type, domain and rule")
    try:
        routes = keep_route(run.pico, run.rid, type, domain, rule)
    except LimitExceeded as error:
        raise KrlLimitExceeded(error.what, error.hint) from None
    persistent.assign(run, "routes", routes)
    return True


# -- channels -----------------------------------------------------------------------------------------------


def _add_labels_to_channel(run: Instance, eci: Value = UNDEFINED, labels: Value = UNDEFINED) -> Value:
    pico = run.pico
    channel = pico.channels.rows.get(to_string(eci))
    if channel is None:
        raise type_error(f"this pico has no channel {to_string(eci)}")
    more = to_json(labels if isinstance(labels, list) else [labels], run)
    tags = clean_tags(freeze([*channel.tags, *more]))
    pico.engine.family.change_channel(pico, channel.eci, {"tags": tags})
    return UNDEFINED


# -- what the node does -------------------------------------------------------------------------------------

_KEYS: Final = "keys stay with the node, which packs and unpacks itself"
_DIDS: Final = "the node makes, keeps and changes DIDs, each for one connection"
_DOCUMENTS: Final = "the node resolves DIDs, and keeps the documents of its connections"
REFUSED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "pack": (_KEYS, "send the message as it is: dido:send(did, message)"),
        "unpack": (_KEYS, "let the message become an event: dido:addRoute(type, domain, name)"),
        "route": (_KEYS, "let the message become an event: dido:addRoute(type, domain, name)"),
        "generateDID": (_DIDS, "ask io.picolabs.did-o: its generate_invitation is an invitation with a DID"),
        "deleteDID": (_DIDS, "delete the connection's channel: wrangler:channel_deletion_request"),
        "updateDID": (_DOCUMENTS, "the other side tells of its new document itself"),
        "rotateDID": (_DIDS, "nothing is to be done"),
        "rotateInviteDID": (_DIDS, "nothing is to be done: each invitation's DID is used once"),
        "clearPendingRotations": (_DIDS, "nothing is to be done"),
        "mapDid": (_DIDS, "accept the other side's invitation: dido:receive_invite"),
        "clearDidMap": (_DIDS, "delete the connections' channels: wrangler:channel_deletion_request"),
        "clearDidDocs": (_DOCUMENTS, "nothing is to be done"),
        "storeDidDoc": (_DOCUMENTS, "accept the other side's invitation: dido:receive_invite"),
    }
)
"""Members that do nothing here: why, and what to do instead."""


def _refuser(name: str, why: str, hint: str) -> Callable[..., Value]:
    def refuse(run: Instance, *arguments: Value) -> Value:
        del run, arguments
        raise KrlRuntimeError("Error", f"dido:{name} is not available: {why}", hint)

    return refuse


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "generateMessage": Member("function", _generate_message),
        "createInviteUrl": Member("function", _create_invite_url),
        "send": Member("function", _send),
        "sendQuery": Member("function", _send_query),
        "prepareQuery": Member("function", _prepare_query),
        "addRoute": Member("function", _add_route),
        "addLabelsToChannel": Member("function", _add_labels_to_channel),
    }
    | {name: Member("function", _refuser(name, *why)) for name, why in REFUSED.items()}
)
