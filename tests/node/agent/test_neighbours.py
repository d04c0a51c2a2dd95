"""Two picos of one node connect by the same invitations as everybody, in one commit."""

from __future__ import annotations

import pytest

from pico_engine.errors import BadRequest
from pico_node.agent.errors import BadInvitation
from tests.node.agent.pair import Pair


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.command(pair.a, "pico_new", name="listener", rulesets=["test.listener"])
    return pair


def meet(pair: Pair) -> str:
    url = pair.command(pair.a, "invite", pico="teller", my_role="teller", their_role="listener")["url"]
    row = pair.command(pair.a, "accept", pico="listener", url=url)
    assert (row["state"], row["online"], row["Rx_role"]) == ("established", True, "listener")
    return row["id"]


def heard(pair: Pair) -> list[int]:
    return pair.command(pair.a, "query", target="listener", rid="test.listener", name="all")["result"]


def test_both_sides_are_established_and_talk(pair: Pair) -> None:
    meet(pair)
    rows = pair.command(pair.a, "connections")
    assert [row["state"] for row in rows] == ["established", "established"]
    assert {row["Rx"] for row in rows} == {row["Tx"] for row in rows}
    pair.command(pair.a, "event", target="teller", name="teller:tell", attrs={"n": 7})
    assert heard(pair) == [0, 7]
    buses = pair.command(
        pair.a, "query", target="teller", rid="io.picolabs.subscription", name="established"
    )["result"]
    assert [bus["Tx_role"] for bus in buses] == ["listener"]


def test_it_survives_a_restart(pair: Pair) -> None:
    meet(pair)
    pair.a.start()
    pair.command(pair.a, "event", target="teller", name="teller:tell", attrs={"n": 3})
    assert heard(pair) == [0, 3]


def test_an_invitation_is_good_once(pair: Pair) -> None:
    url = pair.command(pair.a, "invite", pico="teller")["url"]
    first = pair.command(pair.a, "accept", pico="listener", url=url)
    assert pair.command(pair.a, "accept", pico="listener", url=url)["id"] == first["id"]
    with pytest.raises(BadInvitation, match="used already"):
        pair.command(pair.a, "accept", pico="", url=url)
    with pytest.raises(BadRequest, match="this pico itself"):
        pair.command(pair.a, "accept", pico="teller", url=url)


@pytest.mark.parametrize("ender", ["teller", "listener"])
def test_either_side_ends_both(pair: Pair, ender: str) -> None:
    connection = meet(pair)
    pair.command(pair.a, "connection_end", pico=ender, id=connection)
    assert pair.command(pair.a, "connections") == []
    for pico in ("teller", "listener"):
        buses = pair.command(
            pair.a, "query", target=pico, rid="io.picolabs.subscription", name="established"
        )["result"]
        assert buses == []
        channels = pair.command(pair.a, "channel_list", pico=pico)
        assert not any(channel["id"].startswith("did:peer:4") and channel["peer"] for channel in channels)


def test_deleting_one_side_ends_the_other(pair: Pair) -> None:
    meet(pair)
    pair.command(pair.a, "pico_delete", pico="listener")
    assert pair.command(pair.a, "connections") == []
    buses = pair.command(
        pair.a, "query", target="teller", rid="io.picolabs.subscription", name="established"
    )["result"]
    assert buses == []
