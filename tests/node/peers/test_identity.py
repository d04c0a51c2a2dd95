"""Peer ids: ours are libp2p's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID

from pico_node.peers.errors import BadAddress
from pico_node.peers.identity import check_peer_id, key_of_peer_id, peer_id_of_key, peer_id_of_seed
from tests.node.peers.helpers import seed_of


def test_the_same_seed_gives_libp2ps_peer_id():
    seed = seed_of("a")
    assert peer_id_of_seed(seed) == str(ID.from_pubkey(create_new_key_pair(seed).public_key))


@given(st.binary(min_size=32, max_size=32))
def test_a_key_comes_back(key):
    assert key_of_peer_id(peer_id_of_key(key)) == key
    assert peer_id_of_key(key).startswith("12D3KooW")


@pytest.mark.parametrize(
    "text", ["", "0OIl", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "é", "x" * 500]
)
def test_other_text_is_refused(text):
    with pytest.raises(BadAddress):
        key_of_peer_id(text)


def test_a_key_has_32_bytes():
    with pytest.raises(ValueError, match="32"):
        peer_id_of_key(bytes(31))


def test_other_agents_may_have_other_keys():
    check_peer_id("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
    check_peer_id(peer_id_of_key(bytes(32)))
    for text in ("", "a", "0OIl", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx", "é"):
        with pytest.raises(BadAddress):
            check_peer_id(text)
