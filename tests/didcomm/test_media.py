"""Media types as transports write them."""

from __future__ import annotations

import pytest

from pico_didcomm.errors import BadEnvelope
from pico_didcomm.media import MEDIA_TYPES, check_media_type, full_media_type


@pytest.mark.parametrize(
    "text",
    [
        "application/didcomm-plain+json",
        "didcomm-plain+json",
        "Application/DIDComm-plain+JSON ; charset=utf-8",
    ],
)
def test_spellings(text: str) -> None:
    assert full_media_type(text) == MEDIA_TYPES["plain"]
    check_media_type(text, "plain")


@pytest.mark.parametrize(
    "text", ["", "application/json", "text/didcomm-plain+json", "application/didcomm-plain"]
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(BadEnvelope):
        check_media_type(text, "plain")
