"""Limits: those that make no sense together are refused."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pico_node.peers.limits import PeerLimits


def test_every_limit_names_its_unit():
    units = ("_bytes_max", "_s", "_max", "_burst")
    assert all(field.name.endswith(units) for field in fields(PeerLimits))


@pytest.mark.parametrize(
    "change",
    [{"ping_after_s": 15}, {"ping_after_s": 0}, {"unread_bytes_max": 1000}, {"frame_bytes_max": 0}],
    ids=str,
)
def test_limits_that_cannot_work_are_refused(change):
    with pytest.raises(ValueError, match=r"must|stops"):
        PeerLimits(**change)
