"""Media types of plaintext, signed and encrypted messages, which transports carry beside the bytes."""

from __future__ import annotations

from typing import Final, Literal

from pico_didcomm.errors import BadEnvelope

Form = Literal["plain", "signed", "encrypted"]

MEDIA_TYPES: Final[dict[Form, str]] = {
    "plain": "application/didcomm-plain+json",
    "signed": "application/didcomm-signed+json",
    "encrypted": "application/didcomm-encrypted+json",
}
"""Form of a message -> the media type that a transport must give it."""


def full_media_type(text: str) -> str:
    """A media type without parameters, in lower case; one without `/` means `application/` before it."""
    name = text.partition(";")[0].strip().lower()
    return name if "/" in name else f"application/{name}"


def check_media_type(text: str, form: Form) -> None:
    """Returns when a transport's media type is that of the message it brought; BadEnvelope otherwise."""
    if full_media_type(text) != MEDIA_TYPES[form]:
        raise BadEnvelope(f"{text[:64]!a} for a message that is {form}", f"send it as {MEDIA_TYPES[form]}")
