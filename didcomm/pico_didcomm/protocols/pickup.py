"""Message pickup 3.0 and 4.0: a recipient fetches what its mediator holds for it.

What differs: 4.0 answers a delivery request with an empty delivery where 3.0 sends a status, counts in
milliseconds where 3.0 counts in seconds, names the limit otherwise, and acknowledges what is delivered live.
We acknowledge, and wait for acknowledgement, in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pico_didcomm.encoding import b64url_encode
from pico_didcomm.errors import BadMessage
from pico_didcomm.message import ATTACHMENTS_MAX, ID_CHARS_MAX, Attachment, Message
from pico_didcomm.protocols.fields import boolean, integer, texts
from pico_didcomm.protocols.fields import did as did_field
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.routing import ENCRYPTED_TYPE
from pico_didcomm.protocols.tables import Table, requester_table

DELIVERY_MESSAGES_MAX: Final = ATTACHMENTS_MAX
"""Messages in one delivery: as many as a message may have attachments."""

RECEIVED_IDS_MAX: Final = 1_024
"""Acknowledged messages in one message."""

LIVE_NOT_SUPPORTED: Final = "e.m.live-mode-not-supported"


@dataclass(frozen=True, slots=True)
class Version:
    """The words of one version."""

    protocol: str
    limit_member: str
    times_in_ms: bool
    empty_delivery: bool

    def type_of(self, name: str) -> str:
        """The message type `name` of this version."""
        return f"{self.protocol}/{name}"


V3: Final = Version("https://didcomm.org/messagepickup/3.0", "limit", False, False)
V4: Final = Version("https://didcomm.org/message-pickup/4.0", "message_count_limit", True, True)
VERSIONS: Final = (V3, V4)
NAMES: Final = (
    *("status-request", "status", "delivery-request"),
    *("delivery", "messages-received", "live-delivery-change"),
)


def version_of(type_uri: str) -> tuple[Version, str] | None:
    """The (version, name) that has this message type."""
    protocol, _, name = type_uri.rpartition("/")
    for version in VERSIONS:
        if version.protocol == protocol and name in NAMES:
            return version, name
    return None


@dataclass(frozen=True, slots=True)
class Status:
    """What waits at the mediator: for one recipient DID, or for all. Times are milliseconds since 1970."""

    message_count: int
    recipient_did: str | None = None
    oldest_ms: int | None = None
    newest_ms: int | None = None
    total_bytes: int | None = None
    live_delivery: bool | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Asks for at most `limit` messages: of one recipient DID, or of all."""

    limit: int
    recipient_did: str | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that was fetched: its id at the mediator, and the envelope."""

    id: str
    envelope: bytes


# -- the recipient's messages -----------------------------------------------------------------------------


def make_status_request(
    message_id: str, from_did: str, to_did: str, recipient_did: str | None = None, version: Version = V4
) -> Message:
    """Asks what waits."""
    return _ask(message_id, version.type_of("status-request"), _recipient(recipient_did), from_did, to_did)


def make_delivery_request(
    message_id: str, from_did: str, to_did: str, request: DeliveryRequest, version: Version = V4
) -> Message:
    """Asks for messages."""
    body = {version.limit_member: request.limit, **_recipient(request.recipient_did)}
    return _ask(message_id, version.type_of("delivery-request"), body, from_did, to_did)


def make_messages_received(
    message_id: str,
    from_did: str,
    to_did: str,
    ids: Sequence[str],
    version: Version = V4,
    *,
    thid: str | None = None,
) -> Message:
    """Says which messages are safe here, so that the mediator may drop them."""
    return Message(
        message_id,
        version.type_of("messages-received"),
        {"message_id_list": list(ids)},
        from_=from_did,
        to=(to_did,),
        thid=thid,
        # 3.0 answers with a status, 4.0 needs no answer.
        extra={} if version.empty_delivery else ALL.headers(),
    )


def make_live_delivery_change(
    message_id: str, from_did: str, to_did: str, live: bool, version: Version = V4
) -> Message:
    """Asks for messages to be delivered as they come, or no more so; for a lasting connection only."""
    body = {"live_delivery": live}
    return _ask(message_id, version.type_of("live-delivery-change"), body, from_did, to_did)


def parse_status_request(message: Message) -> str | None:
    """The recipient DID that is asked about, None for all."""
    _check(message, "status-request")
    return _read_recipient(message.body)


def parse_delivery_request(message: Message) -> DeliveryRequest:
    """Reads a request for messages."""
    version = _check(message, "delivery-request")
    limit = integer(message.body, version.limit_member)
    if limit == 0:
        raise BadMessage(f"{version.limit_member} is 0")
    return DeliveryRequest(min(limit, DELIVERY_MESSAGES_MAX), _read_recipient(message.body))


def parse_messages_received(message: Message) -> tuple[str, ...]:
    """The ids that are acknowledged."""
    _check(message, "messages-received")
    return texts(message.body, "message_id_list", RECEIVED_IDS_MAX, ID_CHARS_MAX)


def parse_live_delivery_change(message: Message) -> bool:
    """Whether live delivery is wanted."""
    _check(message, "live-delivery-change")
    return boolean(message.body, "live_delivery")


# -- the mediator's messages ------------------------------------------------------------------------------


def make_status(message_id: str, from_did: str, request: Message, status: Status, now_ms: int) -> Message:
    """Answers any request, in its version."""
    version = _version(request)
    unit = 1 if version.times_in_ms else 1000
    body: dict[str, Any] = {**_recipient(status.recipient_did), "message_count": status.message_count}
    for name, value in (
        ("oldest_received_time", status.oldest_ms),
        ("newest_received_time", status.newest_ms),
    ):
        if value is not None:
            body[name] = value // unit
    if status.oldest_ms is not None and not version.times_in_ms:
        body["longest_waited_seconds"] = max(0, now_ms - status.oldest_ms) // 1000
    plain = {"total_bytes": status.total_bytes, "live_delivery": status.live_delivery}
    body |= {name: value for name, value in plain.items() if value is not None}
    return _answer(message_id, version.type_of("status"), body, from_did, request)


def make_delivery(
    message_id: str,
    from_did: str,
    to_did: str,
    messages: Sequence[Delivered],
    version: Version = V4,
    *,
    request: Message | None = None,
    recipient_did: str | None = None,
) -> Message:
    """Carries messages: the answer to `request`, or live."""
    return Message(
        message_id,
        version.type_of("delivery"),
        _recipient(recipient_did),
        from_=from_did,
        to=(to_did,),
        thid=None if request is None else request.thid or request.id,
        attachments=tuple(
            Attachment({"base64": b64url_encode(one.envelope)}, id=one.id, media_type=ENCRYPTED_TYPE)
            for one in messages
        ),
    )


def parse_status(message: Message) -> Status:
    """Reads a status; times become milliseconds."""
    version = _check(message, "status")
    unit = 1 if version.times_in_ms else 1000
    body = message.body

    def optional(name: str, factor: int = 1) -> int | None:
        return integer(body, name) * factor if body.get(name) is not None else None

    return Status(
        integer(body, "message_count"),
        _read_recipient(body),
        optional("oldest_received_time", unit),
        optional("newest_received_time", unit),
        optional("total_bytes"),
        boolean(body, "live_delivery") if body.get("live_delivery") is not None else None,
    )


def parse_delivery(message: Message) -> tuple[Delivered, ...]:
    """The messages of a delivery, none in 4.0 when nothing waits. Their envelopes are not opened."""
    version = _check(message, "delivery")
    if not message.attachments and not version.empty_delivery:
        raise BadMessage("a delivery with nothing in it")
    found = []
    for attachment in message.attachments:
        if attachment.id is None:
            raise BadMessage("a delivered message without id, which cannot be acknowledged")
        found.append(Delivered(attachment.id, attachment.content()))
    if len({one.id for one in found}) != len(found):
        raise BadMessage("two delivered messages with one id")
    return tuple(found)


# -- tables -----------------------------------------------------------------------------------------------


def _mediator(version: Version) -> Table:
    """Of one connection of a recipient: a new connection begins without live mode."""
    row = {
        "receive status-request": "{}",
        "receive delivery-request": "{}",
        "receive messages-received": "{}",
        "receive live-delivery-change on": "live",
        "receive live-delivery-change off": "polling",
        "close": "closed",
    }
    states = ("polling", "live")
    rows = {state: {name: to.format(state) for name, to in row.items()} for state in states}
    for state in states:
        rows[state]["message comes"] = state
    return Table(version.protocol, "mediator", "polling", {**rows, "closed": {"close": "closed"}})


def _client(version: Version) -> Table:
    """The recipient's mode; its single requests wait in `exchange`."""
    common = {"send status-request": "{}", "send delivery-request": "{}", "send messages-received": "{}"}
    received = {"receive status": "{}", "receive delivery": "{}"}
    rows = {
        state: {name: to.format(state) for name, to in {**common, **received}.items()}
        for state in ("polling", "starting", "live")
    }
    rows["polling"] |= {"send live-delivery-change on": "starting", "disconnect": "polling"}
    rows["starting"] |= {
        "receive status that is live": "live",
        "receive status that is not live": "polling",
        "fail": "polling",
        "disconnect": "polling",
    }
    rows["live"] |= {"send live-delivery-change off": "polling", "disconnect": "polling"}
    return Table(version.protocol, "recipient", "polling", rows)


def exchange_tables(version: Version) -> Mapping[str, Table]:
    """The recipient's single requests, by message type."""
    protocol = version.protocol
    table = {
        "status-request": ("status",),
        "delivery-request": ("delivery", "status"),
        "live-delivery-change": ("status",),
    }
    return {
        version.type_of(request): requester_table(protocol, f"recipient's {request}", request, answers)
        for request, answers in table.items()
    }


TABLES: Final[tuple[Table, ...]] = tuple(
    table
    for version in VERSIONS
    for table in (_mediator(version), _client(version), *exchange_tables(version).values())
)


# -- reading ----------------------------------------------------------------------------------------------


def _version(message: Message) -> Version:
    found = version_of(message.type)
    if found is None:
        raise BadMessage(f"a message of type {message.type[:80]!a}, not of message pickup")
    return found[0]


def _check(message: Message, name: str) -> Version:
    found = version_of(message.type)
    if found is None or found[1] != name:
        raise BadMessage(f"a message of type {message.type[:80]!a}, not {name} of message pickup")
    return found[0]


def _recipient(recipient_did: str | None) -> dict[str, Any]:
    return {} if recipient_did is None else {"recipient_did": recipient_did}


def _read_recipient(body: Mapping[str, Any]) -> str | None:
    return None if body.get("recipient_did") is None else did_field(body, "recipient_did")


def _ask(message_id: str, type_: str, body: dict[str, Any], from_did: str, to_did: str) -> Message:
    return Message(message_id, type_, body, from_=from_did, to=(to_did,), extra=ALL.headers())


def _answer(message_id: str, type_: str, body: dict[str, Any], from_did: str, request: Message) -> Message:
    if request.from_ is None:
        raise BadMessage("a request without from cannot be answered")
    thread = request.thid or request.id
    return Message(message_id, type_, body, from_=from_did, to=(request.from_,), thid=thread)
