"""User profile 1.0: the name, picture and words by which a person wants to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import Attachment, Message
from pico_didcomm.protocols.fields import boolean, check_type, mapping, text, texts
from pico_didcomm.protocols.tables import Table

PROTOCOL: Final = "https://didcomm.org/user-profile/1.0"
PROFILE_TYPE: Final = f"{PROTOCOL}/profile"
REQUEST_PROFILE_TYPE: Final = f"{PROTOCOL}/request-profile"

FIELDS: Final = ("displayName", "displayPicture", "description")
FIELD_CHARS_MAX: Final = 4_096
"""Of one field: shown on one screen; the picture is an attachment."""

TABLES: Final[tuple[Table, ...]] = (
    Table(
        PROTOCOL,
        "sender",
        "ready",
        {
            "ready": {
                "send profile": "ready",
                "receive request-profile": "asked",
                "receive profile that wants ours": "asked",
            },
            "asked": {
                "send profile": "ready",
                "decline": "ready",
                "receive request-profile": "asked",
                "receive profile that wants ours": "asked",
            },
        },
    ),
    Table(
        PROTOCOL,
        "receiver",
        "ready",
        {
            "ready": {"receive profile": "ready", "send request-profile": "waiting"},
            "waiting": {"receive profile": "ready", "send request-profile": "waiting", "time out": "ready"},
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Changes of a profile by field: a text sets it, None removes it, a field that is not there stays.

    `displayPicture` names one of `attachments` (`#` and its id).
    """

    changes: Mapping[str, str | None]
    send_back_yours: bool = False
    attachments: tuple[Attachment, ...] = field(default=())

    def applied_to(self, profile: Mapping[str, str]) -> dict[str, str]:
        """The profile after the changes."""
        merged = {**profile, **self.changes}
        return {name: value for name, value in merged.items() if value is not None}


def make_profile(
    message_id: str, from_did: str, to_did: str, profile: Profile, *, pthid: str | None = None
) -> Message:
    """The message that tells a profile. `pthid` is the message that asked for it."""
    if pthid is not None and profile.send_back_yours:
        raise BadMessage("a profile that answers another message must not ask for one in return")
    body: dict[str, Any] = {"profile": dict(profile.changes)}
    if profile.send_back_yours:
        body["send_back_yours"] = True
    return Message(
        message_id,
        PROFILE_TYPE,
        body,
        from_=from_did,
        to=(to_did,),
        pthid=pthid,
        attachments=profile.attachments,
    )


def parse_profile(message: Message) -> Profile:
    """Reads a profile; fields that the protocol does not know are left out, an empty text removes."""
    check_type(message, PROFILE_TYPE)
    raw = mapping(message.body, "profile")
    changes: dict[str, str | None] = {
        name: text(raw, name, FIELD_CHARS_MAX) if raw[name] else None for name in FIELDS if name in raw
    }
    picture = changes.get("displayPicture")
    if picture is not None and picture.removeprefix("#") not in {one.id for one in message.attachments}:
        raise BadMessage("a profile whose picture is not attached")
    asks = boolean(message.body, "send_back_yours", default=False)
    # What answers another message must not ask again, or two agents would never stop.
    return Profile(changes, asks and message.pthid is None, message.attachments)


def make_request_profile(message_id: str, from_did: str, to_did: str, query: tuple[str, ...] = ()) -> Message:
    """Asks for a profile: for the fields of `query`, or all."""
    body = {"query": list(query)} if query else {}
    return Message(message_id, REQUEST_PROFILE_TYPE, body, from_=from_did, to=(to_did,))


def parse_request_profile(message: Message) -> tuple[str, ...]:
    """The fields that are asked for: all, where the message does not say."""
    check_type(message, REQUEST_PROFILE_TYPE)
    if message.body.get("query") is None:
        return FIELDS
    asked = texts(message.body, "query", 32, 64)
    return tuple(name for name in FIELDS if name in asked)
