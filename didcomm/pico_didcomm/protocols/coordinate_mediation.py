"""Coordinate mediation 2.0 and 3.0: a recipient asks a mediator to take forward messages for its DIDs.

The two versions say the same in other words: 2.0 speaks of a key list, 3.0 of recipients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pico_didcomm.did.document import check_did
from pico_didcomm.errors import BadDid, BadMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import did as did_field
from pico_didcomm.protocols.fields import integer, mapping, objects, text
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.tables import Table, requester_table

UPDATES_MAX: Final = 256
"""Changes in one message; a recipient with more DIDs sends several."""

PAGE_MAX: Final = 256
"""DIDs in one answer; the next page has its own request."""

Action = Literal["add", "remove"]
Result = Literal["success", "no_change", "client_error", "server_error"]
_ACTIONS: Final = ("add", "remove")
_RESULTS: Final = ("success", "no_change", "client_error", "server_error")


@dataclass(frozen=True, slots=True)
class Version:
    """The words of one version."""

    protocol: str
    update: str
    query: str
    list: str
    list_member: str
    routing_did_is_list: bool

    @property
    def request_type(self) -> str:
        """A recipient asks to be served."""
        return f"{self.protocol}/mediate-request"

    @property
    def grant_type(self) -> str:
        """The mediator will serve, under the DID that the message names."""
        return f"{self.protocol}/mediate-grant"

    @property
    def deny_type(self) -> str:
        """The mediator will not."""
        return f"{self.protocol}/mediate-deny"

    @property
    def update_type(self) -> str:
        """DIDs to be added or removed."""
        return f"{self.protocol}/{self.update}"

    @property
    def update_response_type(self) -> str:
        """What became of each change."""
        return f"{self.protocol}/{self.update}-response"

    @property
    def query_type(self) -> str:
        """Which DIDs are registered?"""
        return f"{self.protocol}/{self.query}"

    @property
    def list_type(self) -> str:
        """These are."""
        return f"{self.protocol}/{self.list}"

    @property
    def types(self) -> tuple[str, ...]:
        """All message types of the version."""
        return (
            *(self.request_type, self.grant_type, self.deny_type, self.update_type),
            *(self.update_response_type, self.query_type, self.list_type),
        )


_BASE: Final = "https://didcomm.org/coordinate-mediation/"
V2: Final = Version(f"{_BASE}2.0", "keylist-update", "keylist-query", "keylist", "keys", False)
V3: Final = Version(f"{_BASE}3.0", "recipient-update", "recipient-query", "recipient", "dids", True)
VERSIONS: Final = (V2, V3)


def version_of(type_uri: str) -> Version | None:
    """The version that has this message type."""
    return next((version for version in VERSIONS if type_uri in version.types), None)


@dataclass(frozen=True, slots=True)
class Update:
    """One DID to be added or removed."""

    recipient_did: str
    action: Action


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of it."""

    recipient_did: str
    action: str
    result: Result


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the registered DIDs: `offset` from the first, `remaining` behind these."""

    dids: tuple[str, ...]
    offset: int = 0
    remaining: int = 0


# -- the recipient's messages -----------------------------------------------------------------------------


def make_mediate_request(message_id: str, from_did: str, to_did: str, version: Version = V3) -> Message:
    """Asks to be served."""
    return _message(message_id, version.request_type, {}, from_did, to_did, ask=True)


def make_update(
    message_id: str, from_did: str, to_did: str, updates: Sequence[Update], version: Version = V3
) -> Message:
    """Asks for changes."""
    rows = [{"recipient_did": one.recipient_did, "action": one.action} for one in updates]
    return _message(message_id, version.update_type, {"updates": rows}, from_did, to_did, ask=True)


def make_query(
    message_id: str,
    from_did: str,
    to_did: str,
    *,
    limit: int | None = None,
    offset: int = 0,
    version: Version = V3,
) -> Message:
    """Asks which DIDs are registered: a page of at most `limit`, or as many as the mediator tells at once."""
    body = {} if limit is None else {"paginate": {"limit": limit, "offset": offset}}
    return _message(message_id, version.query_type, body, from_did, to_did, ask=True)


def parse_update(message: Message) -> tuple[Update, ...]:
    """Reads changes; at least one."""
    _version(message, "update_type")
    found = objects(message.body, "updates", UPDATES_MAX)
    if not found:
        raise BadMessage("an update without a change")
    return tuple(
        Update(did_field(one, "recipient_did"), cast("Action", _one_of(one, "action", _ACTIONS)))
        for one in found
    )


def parse_query(message: Message) -> tuple[int, int]:
    """The (limit, offset) that is asked for: a limit of `PAGE_MAX` where the message does not say."""
    _version(message, "query_type")
    if message.body.get("paginate") is None:
        return PAGE_MAX, 0
    paginate = mapping(message.body, "paginate")
    return min(integer(paginate, "limit"), PAGE_MAX), integer(paginate, "offset")


# -- the mediator's messages ------------------------------------------------------------------------------


def make_grant(message_id: str, from_did: str, request: Message, routing_did: str) -> Message:
    """Agrees, in the request's version."""
    version = _version(request, "request_type")
    value = [routing_did] if version.routing_did_is_list else routing_did
    return _answer(message_id, version.grant_type, {"routing_did": value}, from_did, request)


def make_deny(message_id: str, from_did: str, request: Message) -> Message:
    """Declines."""
    return _answer(message_id, _version(request, "request_type").deny_type, {}, from_did, request)


def make_update_response(
    message_id: str, from_did: str, request: Message, updated: Sequence[Updated]
) -> Message:
    """Says what became of each change, in their order."""
    rows = [
        {"recipient_did": one.recipient_did, "action": one.action, "result": one.result} for one in updated
    ]
    type_ = _version(request, "update_type").update_response_type
    return _answer(message_id, type_, {"updated": rows}, from_did, request)


def make_list(message_id: str, from_did: str, request: Message, page: Page) -> Message:
    """Answers a query."""
    version = _version(request, "query_type")
    pagination = {"count": len(page.dids), "offset": page.offset, "remaining": page.remaining}
    body = {version.list_member: [{"recipient_did": did} for did in page.dids], "pagination": pagination}
    return _answer(message_id, version.list_type, body, from_did, request)


def parse_grant(message: Message) -> tuple[str, ...]:
    """The mediator's DIDs to be named as endpoints. Both versions are read in both spellings."""
    _version(message, "grant_type")
    value = message.body.get("routing_did")
    dids = value if isinstance(value, list) else [value]
    if not 0 < len(dids) <= 8:
        raise BadMessage("a grant without routing_did, or with more than 8")
    try:
        return tuple(check_did(one) for one in dids)
    except BadDid as error:
        raise BadMessage(f"routing_did: {error}") from error


def parse_update_response(message: Message) -> tuple[Updated, ...]:
    """Reads what became of the changes."""
    _version(message, "update_response_type")
    return tuple(
        Updated(
            did_field(one, "recipient_did"),
            _one_of(one, "action", _ACTIONS),
            cast("Result", _one_of(one, "result", _RESULTS)),
        )
        for one in objects(message.body, "updated", UPDATES_MAX)
    )


def parse_list(message: Message) -> Page:
    """Reads a page."""
    version = _version(message, "list_type")
    rows = objects(message.body, version.list_member, PAGE_MAX)
    dids = tuple(did_field(row, "recipient_did") for row in rows)
    if message.body.get("pagination") is None:
        return Page(dids)
    pagination = mapping(message.body, "pagination")
    if integer(pagination, "count") != len(dids):
        raise BadMessage("a page that does not have as many DIDs as it says")
    return Page(dids, integer(pagination, "offset"), integer(pagination, "remaining"))


# -- tables -----------------------------------------------------------------------------------------------


def _mediator(version: Version) -> Table:
    """Of one recipient, as the mediator keeps it."""
    update, query = f"receive {version.update}", f"receive {version.query}"
    return Table(
        version.protocol,
        "mediator",
        "stranger",
        {
            "stranger": {"grant": "granted", "deny": "stranger", update: "stranger", query: "stranger"},
            "granted": {"grant": "granted", update: "granted", query: "granted", "revoke": "stranger"},
        },
    )


def _recipient(version: Version) -> Table:
    """The relationship as the recipient sees it; its single requests wait in `exchange`."""
    return Table(
        version.protocol,
        "recipient",
        "unregistered",
        {
            "unregistered": {"send mediate-request": "requesting"},
            "requesting": {
                "send mediate-request": "requesting",
                "receive mediate-grant": "granted",
                "receive mediate-deny": "denied",
                "fail": "unregistered",
            },
            "granted": {
                "send mediate-request": "requesting",
                f"send {version.update}": "granted",
                f"send {version.query}": "granted",
                f"receive {version.update}-response": "granted",
                f"receive {version.list}": "granted",
                "fail": "granted",
            },
            "denied": {"send mediate-request": "requesting"},
        },
    )


def exchange_tables(version: Version) -> Mapping[str, Table]:
    """The recipient's single requests, by message type."""
    return {
        version.request_type: requester_table(
            version.protocol, "recipient's request", "mediate-request", ("mediate-grant", "mediate-deny")
        ),
        version.update_type: requester_table(
            version.protocol, "recipient's update", version.update, (f"{version.update}-response",)
        ),
        version.query_type: requester_table(
            version.protocol, "recipient's query", version.query, (version.list,)
        ),
    }


TABLES: Final[tuple[Table, ...]] = tuple(
    table
    for version in VERSIONS
    for table in (_mediator(version), _recipient(version), *exchange_tables(version).values())
)


# -- reading ----------------------------------------------------------------------------------------------


def _version(message: Message, which: str) -> Version:
    version = version_of(message.type)
    if version is None or getattr(version, which) != message.type:
        raise BadMessage(f"a message of type {message.type[:80]!a}, not of coordinate mediation")
    return version


def _one_of(body: Mapping[str, Any], name: str, values: Sequence[str]) -> str:
    value = text(body, name, 32)
    if value not in values:
        raise BadMessage(f"{name} is not one of {', '.join(values)}")
    return value


def _message(
    message_id: str, type_: str, body: dict[str, Any], from_did: str, to_did: str, *, ask: bool
) -> Message:
    extra = ALL.headers() if ask else {}
    return Message(message_id, type_, body, from_=from_did, to=(to_did,), extra=extra)


def _answer(message_id: str, type_: str, body: dict[str, Any], from_did: str, request: Message) -> Message:
    if request.from_ is None:
        raise BadMessage("a request without from cannot be answered")
    thread = request.thid or request.id
    return Message(message_id, type_, body, from_=from_did, to=(request.from_,), thid=thread)
