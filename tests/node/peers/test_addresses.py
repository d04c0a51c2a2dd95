"""Multiaddresses: what is taken, what is passed over, what is announced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.peers.addresses import dialable, parse_listen, reachable, split_peer
from pico_node.peers.errors import BadAddress
from pico_node.peers.identity import peer_id_of_key

PEER, OTHER = peer_id_of_key(bytes(32)), peer_id_of_key(bytes([1] * 32))


def test_listen_addresses():
    assert parse_listen("/ip4/0.0.0.0/tcp/7461") == ("0.0.0.0", 7461)
    assert parse_listen("/ip6/::1/tcp/0") == ("::1", 0)


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:80", "/ip4/127.0.0.1", "/ip4/127.0.0.1/udp/1/quic-v1", "/dns4/example.org/tcp/1",
     "/ip4/127.0.0.1/tcp/99999", "/ip4/127.0.0.1/tcp/1/ws"],
)  # fmt: skip
def test_what_cannot_be_listened_on_is_refused(address):
    with pytest.raises(BadAddress) as caught:
        parse_listen(address)
    assert caught.value.hint


def test_split_peer():
    assert split_peer(f"/ip4/192.0.2.1/tcp/5/p2p/{PEER}") == (PEER, "/ip4/192.0.2.1/tcp/5")
    for address in ("/ip4/192.0.2.1/tcp/5", "nonsense", f"/ip4/192.0.2.1/tcp/5/p2p/{PEER[:-1]}!"):
        with pytest.raises(BadAddress):
            split_peer(address)


def test_only_what_can_be_dialed_for_this_peer_is_kept():
    assert dialable(
        PEER,
        [
            f"/ip4/192.0.2.1/tcp/5/p2p/{PEER}",
            "/ip4/192.0.2.1/tcp/5",  # the same again
            f"/ip4/192.0.2.2/tcp/5/p2p/{OTHER}",
            "/ip4/192.0.2.3/udp/5/quic-v1",
            "/ip4/192.0.2.4/tcp/5/ws",
            f"/ip4/192.0.2.4/tcp/5/p2p/{OTHER}/p2p-circuit/p2p/{PEER}",
            "/ip4/192.0.2.5/tcp/0",
            "rubbish",
            "/dns4/example.org/tcp/7",
        ],
    ) == [("192.0.2.1", 5), ("example.org", 7)]


@given(st.lists(st.text(max_size=40), max_size=5))
def test_no_address_of_a_stranger_raises(addresses):
    assert dialable(PEER, addresses) == []


def test_a_peer_with_a_thousand_addresses_gets_a_few_tries():
    assert len(dialable(PEER, [f"/ip4/192.0.2.1/tcp/{n}" for n in range(1, 1000)])) == 16


def test_a_wildcard_becomes_concrete_addresses():
    addresses = reachable([("0.0.0.0", 7), ("::1", 8)], PEER)
    assert f"/ip4/127.0.0.1/tcp/7/p2p/{PEER}" in addresses
    assert f"/ip6/::1/tcp/8/p2p/{PEER}" in addresses
    assert not [address for address in addresses if "0.0.0.0" in address or "fe80" in address]
