"""The owner's API as a table: method, path and parameters of every operation, and the command behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pico_node.http.fields import EVENT_NAME, EXPIRES, MAP, MAP_OR_LIST, MOST, TEXT, TEXTS, Field

API = "/api/v1"
ROOT_PICO = "@"
"""Stands for the root pico in a path, where nothing cannot stand."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`command` is the node's command; path parameters and fields are its parameters by the same names."""

    method: str
    path: str
    command: str
    about: str
    fields: tuple[Field, ...] = ()
    status: int = 200

    @property
    def path_names(self) -> tuple[str, ...]:
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    def fields_in(self, place: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.place == place)


def _needed(field: Field) -> Field:
    return replace(field, required=True)


def _asked(field: Field) -> Field:
    return replace(field, place="query")


_NAME = Field("name", TEXT, "a name for people")
_RID = Field("rid", TEXT, "a ruleset's id")
_EVENT = Field("name", EVENT_NAME, "the event, domain:type", required=True)
_ATTRS = Field("attrs", MAP, "the event's attributes")
_QUERY = Field("name", TEXT, "the query's name", required=True)
_ARGS = Field("args", MAP_OR_LIST, "the query's arguments, by name or by position")
_TARGET = Field("target", TEXT, "an ECI of this node, or a pico's DID or name", required=True)
_PICO = Field("pico", TEXT, "a pico's DID or name")
_MOST = Field("most", MOST, "how many at most, newest first")

OPERATIONS = (
    Operation("GET", "/status", "status", "what this node is and how it is"),
    Operation("GET", "/mediation", "mediation", "what this node is as a mediator, and at its own"),
    Operation(
        "GET", "/picos", "pico_list", "the picos, in tree order",
        (_asked(Field("limit", MOST, "how many at most")),),
    ),
    Operation(
        "POST", "/picos", "pico_new", "make a pico",
        (
            _needed(_NAME),
            Field("parent", TEXT, "its parent's DID or name; the root pico if absent"),
            Field("rulesets", TEXTS, "ids of rulesets to install"),
        ),
        status=201,
    ),
    Operation("GET", "/picos/{pico}", "pico_show", "one pico with all it has"),
    Operation("DELETE", "/picos/{pico}", "pico_delete", "delete a pico and its descendants"),
    Operation("GET", "/picos/{pico}/rulesets", "ruleset_list", "the rulesets of a pico"),
    Operation(
        "POST", "/picos/{pico}/rulesets", "ruleset_install", "install a ruleset, by id or by URL",
        (
            replace(_RID, about="the id of a ruleset in Python"),
            Field("url", TEXT, "where a ruleset in KRL is: file://, http:// or https://"),
            Field("config", MAP, "its configuration"),
        ),
        status=201,
    ),
    Operation("DELETE", "/picos/{pico}/rulesets/{rid}", "ruleset_uninstall", "uninstall a ruleset"),
    Operation("GET", "/rulesets", "ruleset_list", "the rulesets that this node knows"),
    Operation(
        "POST", "/rulesets/flush", "ruleset_flush", "fetch a ruleset's URL anew, for all picos that use it",
        (Field("url", TEXT, "the URL", required=True),),
    ),
    Operation("GET", "/rulesets/urls", "ruleset_urls", "the URLs that rulesets came from"),
    Operation("POST", "/rulesets/load", "ruleset_load", "look for new and changed ruleset files"),
    Operation("GET", "/picos/{pico}/channels", "channel_list", "the channels of a pico"),
    Operation(
        "POST", "/picos/{pico}/channels", "channel_new", "make a channel",
        (
            Field("tags", TEXTS, "words to find it by"),
            Field("event_policy", MAP, "{allow, deny} of {domain, name}; all is allowed if absent"),
            Field("query_policy", MAP, "{allow, deny} of {rid, name}; all is allowed if absent"),
        ),
        status=201,
    ),
    Operation("DELETE", "/picos/{pico}/channels/{eci}", "channel_delete", "delete a channel"),
    Operation("POST", "/events", "event", "send an event and wait for its turn", (_TARGET, _EVENT, _ATTRS)),
    Operation(
        "POST", "/queries", "query", "ask a query",
        (
            replace(_TARGET, about="an ECI of this node, a pico, or a connection's Tx or id"),
            _needed(_RID), _QUERY, _ARGS,
            replace(_PICO, about="whose connection the target is"),
        ),
    ),
    Operation("POST", "/picos/{pico}/events", "event", "send an event to a pico", (_EVENT, _ATTRS)),
    Operation("POST", "/picos/{pico}/queries", "query", "ask a pico a query", (_needed(_RID), _QUERY, _ARGS)),
    Operation(
        "POST", "/picos/{pico}/invitations", "invite", "make an invitation: a link and its QR code",
        (
            _NAME,
            Field("my_role", TEXT, "this pico's role in the connection"),
            Field("their_role", TEXT, "the other side's role"),
            Field("label", TEXT, "what the invited person is shown"),
            Field("expires_s", EXPIRES, "seconds until it expires"),
            Field("audience", TEXT, "whom it is for: picomesh, didcomm or pico-engine"),
        ),
        status=201,
    ),
    Operation(
        "POST", "/picos/{pico}/connections", "accept", "accept an invitation",
        (Field("url", TEXT, "the invitation's link", required=True), _NAME),
        status=201,
    ),
    Operation("GET", "/picos/{pico}/connections", "connections", "the connections of a pico"),
    Operation("DELETE", "/picos/{pico}/connections/{id}", "connection_end", "end a connection"),
    Operation("GET", "/connections", "connections", "the connections of all picos"),
    Operation("GET", "/logs", "logs", "what rulesets logged", (_asked(_PICO), _asked(_MOST))),
    Operation("GET", "/traces", "traces", "what happened in turns, and why", (_asked(_PICO), _asked(_MOST))),
)  # fmt: skip
