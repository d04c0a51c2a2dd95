"""Out-of-band 2.0: invitations that travel as a URL or QR code, signed by who invites.

The signature stands in a second query parameter, `_sig`: a detached JWS (RFC 7515 appendix F) over exactly
the text of `_oob`, whose kid is relative to the invitation's `from`. Software that does not know it
reads a standard invitation.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from pico_didcomm.did.document import check_did, did_of
from pico_didcomm.did.resolver import DidResolver, Resolver
from pico_didcomm.did.service import PROFILE
from pico_didcomm.encoding import JsonObject, b64url_decode, b64url_encode, json_bytes, strict_json_object
from pico_didcomm.errors import (
    BadDid,
    BadEncoding,
    BadInvitation,
    BadSignature,
    Expired,
    LimitExceeded,
    Malformed,
    NotSigned,
)
from pico_didcomm.jws import detached_signature, parse_detached
from pico_didcomm.keys import Party
from pico_didcomm.message import Attachment, Message, split_message_type
from pico_didcomm.protocols.fields import optional_text, texts
from pico_didcomm.protocols.tables import Table

PROTOCOL: Final = "https://didcomm.org/out-of-band/2.0"
INVITATION_TYPE: Final = f"{PROTOCOL}/invitation"
URL_PREFIX: Final = "didcomm://invite"

INVITATION_URL_CHARS_MAX: Final = 16_384
"""A QR code holds less than 4,300 characters; links in mail may be longer, not without bound."""

GOAL_CHARS_MAX: Final = 1_024
"""Of a goal, a goal code and a label: they are shown to people."""

ACCEPT_MAX: Final = 16
"""Profiles in `accept`; there are three in use."""

TABLES: Final[tuple[Table, ...]] = (
    Table(
        PROTOCOL,
        "sender",
        "prepared",
        {
            "prepared": {"show invitation": "open", "withdraw": "closed"},
            "open": {
                "show invitation": "open",
                "receive response": "open",  # several may answer one poster; who may is the sender's choice
                "receive response of the only guest": "closed",
                "withdraw": "closed",
                "expire": "closed",
            },
            "closed": {"receive response": "closed", "withdraw": "closed", "expire": "closed"},
        },
    ),
    Table(
        PROTOCOL,
        "receiver",
        "start",
        {
            "start": {"receive short link": "fetching", "receive invitation": "considering"},
            "fetching": {"receive invitation": "considering", "fail": "done"},
            "considering": {
                "receive invitation": "considering",
                "send response": "done",
                "decline": "done",
                "expire": "done",
            },
            "done": {"receive invitation": "done"},
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was read. `sender` is its `from`, proven only when `signed`.

    Goal, goal code and label are what the sender says of itself: to be shown, not to be believed.
    """

    message: Message
    sender: str
    signed: bool

    @property
    def thread(self) -> str:
        """The `pthid` of every message that answers the invitation."""
        return self.message.id

    @property
    def goal_code(self) -> str | None:
        """What the sender wants, for software."""
        return optional_text(self.message.body, "goal_code", GOAL_CHARS_MAX)

    @property
    def goal(self) -> str | None:
        """What the sender wants, for people."""
        return optional_text(self.message.body, "goal", GOAL_CHARS_MAX)

    @property
    def label(self) -> str | None:
        """How the sender calls itself."""
        return optional_text(self.message.body, "label", GOAL_CHARS_MAX)

    @property
    def accept(self) -> tuple[str, ...]:
        """Profiles of DIDComm that the sender takes, best first; () where it does not say."""
        if self.message.body.get("accept") is None:
            return ()
        return texts(self.message.body, "accept", ACCEPT_MAX, GOAL_CHARS_MAX)

    @property
    def takes_v2(self) -> bool:
        """Whether DIDComm v2 messages are welcome."""
        return not self.accept or PROFILE in self.accept

    def attached(self) -> list[JsonObject]:
        """The messages that may be answered instead, best first: only one of them is to be acted upon.

        Attachments that are no JSON messages, or by link, are left out.
        """
        found = []
        for attachment in self.message.attachments:
            with suppress(Malformed):
                found.append(strict_json_object(attachment.content(), "an attached message"))
        return found

    def first_of(self, *types: str) -> JsonObject | None:
        """The first attached message of a type that the reader understands."""
        return next((one for one in self.attached() if one.get("type") in types), None)


def make_invitation(
    message_id: str,
    from_did: str,
    *,
    label: str | None = None,
    goal_code: str | None = None,
    goal: str | None = None,
    accept: Sequence[str] = ("didcomm/v2",),
    body: dict[str, Any] | None = None,
    attachments: Sequence[Attachment] = (),
    created_time: int | None = None,
    expires_time: int | None = None,
) -> Message:
    """An invitation. `from_did` carries its document (long did:peer:4, did:key); `body` adds members."""
    members = {"goal_code": goal_code, "goal": goal, "label": label, "accept": list(accept) or None}
    return Message(
        id=message_id,
        type=INVITATION_TYPE,
        body={name: value for name, value in members.items() if value is not None} | (body or {}),
        from_=check_did(from_did),
        created_time=created_time,
        expires_time=expires_time,
        attachments=tuple(attachments),
    )


def invitation_url(message: Message, signer: Party | None, *, prefix: str = URL_PREFIX) -> str:
    """The URL of an invitation, signed by its sender (None: unsigned, for software that forbids more).

    `prefix` may be any URL without query and fragment, such as that of a page explaining the link.
    """
    raw = message.to_dict()
    del raw["typ"]  # the type says it; every character makes the QR code denser
    raw = {name: raw[name] for name in ("type", "id", "from", "body") if name in raw} | raw
    oob = b64url_encode(json_bytes(raw))
    url = f"{prefix}?_oob={oob}"
    if signer is not None:
        if message.from_ is None:
            raise BadInvitation("an invitation without from cannot be signed")
        key = signer.signing_key(message.from_)
        kid = key.kid.removeprefix(message.from_)
        url += f"&_sig={detached_signature(oob, key, kid)}"
    if len(url) > INVITATION_URL_CHARS_MAX:
        raise LimitExceeded(f"an invitation URL longer than {INVITATION_URL_CHARS_MAX} characters")
    return url


def short_invitation_url(page: str, invitation_id: str) -> str:
    """A short link, for a QR code: `page` answers a GET of it with `short_answer`."""
    return f"{page}?_oobid={quote(invitation_id, safe='')}"


def id_of_short_url(url: str) -> str | None:
    """The id in a short link; None when `url` is none."""
    return _query(url).get("_oobid")


def short_answer(url: str) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) that answer a short link: a redirect to the long one, also in the body."""
    headers = {"Location": url, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return 302, headers, url.encode()


def url_of_short_answer(status: int, location: str | None, body: bytes) -> str:
    """The long link that the answer to a short one gives; to be read with `parse_invitation_url`.

    The specification leaves the answer open; in use are a redirect, the long link, the invitation's JSON,
    and its base64url alone. Whoever fetches follows no redirect itself: it may be to the invitation.
    """
    if status in (301, 302, 303, 307, 308):
        if location is None or "_oob" not in _query(location):
            raise BadInvitation("a short link that leads to no invitation")
        return location
    if status != 200 or len(body) > INVITATION_URL_CHARS_MAX:
        raise BadInvitation(f"a short link that was answered with status {status}, or too long a text")
    try:
        found = body.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadInvitation("a short link that was answered with no text") from error
    if found.startswith("{"):
        return f"{URL_PREFIX}?_oob={b64url_encode(found.encode())}"
    return found if "?" in found else f"{URL_PREFIX}?_oob={found}"


def parse_invitation_url(
    url: str, now_ms: int, *, require_signature: bool = True, resolver: DidResolver | None = None
) -> Invitation:
    """Reads an invitation from any URL with `_oob` in its query.

    Without `require_signature` an unsigned one is read too, also in the padded standard base64 of older
    pico engines; a signature that is there must be right in any case. Every failure is a DidcommError.
    """
    parameters = _query(url)
    oob = parameters.get("_oob")
    if oob is None:
        if "_oobid" in parameters:
            raise BadInvitation(
                "a short link, which is not an invitation itself", "fetch it, then see url_of_short_answer"
            )
        raise BadInvitation("the URL has no _oob parameter, so it is no invitation")
    if require_signature and "_sig" not in parameters:
        raise NotSigned("the invitation is not signed")
    message = _read(oob, lenient=not require_signature)
    if message.from_ is None:
        raise BadInvitation("the invitation does not say whom it is from")
    if message.expires_time is not None and message.expires_time * 1000 <= now_ms:
        raise Expired("the invitation has expired", "ask for a new invitation")
    signature = parameters.get("_sig")
    if signature is not None:
        _check_signature(signature, oob, message.from_, resolver or Resolver())
    return Invitation(message, message.from_, signed=signature is not None)


def _query(url: str) -> dict[str, str]:
    """The query's parameters. Not `parse_qs`, which reads the + of standard base64 as a space."""
    if len(url) > INVITATION_URL_CHARS_MAX:
        raise LimitExceeded(f"an invitation URL longer than {INVITATION_URL_CHARS_MAX} characters")
    try:
        query = urlsplit(url.strip()).query
    except ValueError as error:
        raise BadInvitation(f"not a URL: {error}") from error
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in ("_oob", "_sig", "_oobid"):
            if name in parameters:
                raise BadInvitation(f"the URL has two {name} parameters")
            parameters[name] = unquote(value)
    return parameters


def _read(oob: str, *, lenient: bool) -> Message:
    try:
        try:
            data = b64url_decode(oob)
        except BadEncoding:
            if not lenient:
                raise
            data = _decode_standard(oob)
        message = Message.from_bytes(data)
        kind = split_message_type(message.type)
    except Malformed as error:
        raise BadInvitation(f"the invitation is damaged or incomplete: {error}") from error
    known = kind.doc_uri == "https://didcomm.org/" and kind.protocol == "out-of-band"
    if not known or kind.name != "invitation" or not kind.version.startswith("2."):
        raise BadInvitation("the URL carries something else than an out-of-band 2.x invitation")
    return message


def _decode_standard(oob: str) -> bytes:
    try:
        return binascii.a2b_base64(oob.encode("ascii"), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BadEncoding("neither base64url nor base64") from error


def _check_signature(text: str, oob: str, from_did: str, resolver: DidResolver) -> None:
    try:
        signature = parse_detached(text)
        kid = from_did + signature.kid if signature.kid.startswith("#") else signature.kid
        if did_of(kid) != from_did:
            raise BadSignature("the invitation is signed by somebody else than who it says it is from")
        document = resolver.resolve(from_did)
        signature.check(document.authentication_key(kid), oob)
    except (Malformed, BadDid) as error:
        raise BadSignature(f"the invitation's signature cannot be read: {error}") from error
