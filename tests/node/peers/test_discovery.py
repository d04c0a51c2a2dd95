"""mDNS: the records, and two nodes that find each other on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
import zeroconf.asyncio
from hypothesis import given
from hypothesis import strategies as st

from pico_node.peers.discovery import LocalDiscovery, decode_text, encode_text
from pico_node.peers.identity import peer_id_of_key
from tests.node.peers.helpers import until

PEER, OTHER = peer_id_of_key(bytes(32)), peer_id_of_key(bytes([1] * 32))
A, B = f"/ip4/192.0.2.1/tcp/5/p2p/{PEER}", f"/ip4/192.0.2.2/tcp/6/p2p/{PEER}"


def test_text_records_come_back():
    assert decode_text(encode_text([A, B])) == {PEER: [A, B]}
    assert encode_text([A]) == bytes([len(A) + 8]) + b"dnsaddr=" + A.encode()


def test_numbered_keys_are_understood_and_others_passed_over():
    def entry(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    text = entry(f"dnsaddr={A}") + entry("id=x") + entry(f"dnsaddr2={B}") + entry("dnsaddr=rubbish")
    assert decode_text(text) == {PEER: [A, B]}


@given(st.binary(max_size=300))
def test_no_record_raises(text):
    decode_text(text)


def test_an_address_too_long_for_a_record_is_left_out():
    assert encode_text([f"/dns4/{'a' * 300}/tcp/1/p2p/{PEER}"]) == b""


def multicast_works() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(
                socket.IPPROTO_IP,
                socket.IP_ADD_MEMBERSHIP,
                socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1"),
            )
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sock.sendto(b"", ("224.0.0.251", 5353))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not multicast_works(), reason="no multicast on the loopback interface")
async def test_two_nodes_find_each_other_and_the_loop_goes_on():
    found: dict[str, dict[str, list[str]]] = {PEER: {}, OTHER: {}}
    longest_s = 0.0

    async def watch_the_loop() -> None:
        nonlocal longest_s
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - before)

    watcher = asyncio.create_task(watch_the_loop())
    nodes = [LocalDiscovery(peer, lambda who, at, peer=peer: found[peer].update({who: at})) for peer in found]
    addresses = {peer: [f"/ip4/127.0.0.1/tcp/{n}/p2p/{peer}"] for n, peer in enumerate(found, 7000)}
    await asyncio.gather(*(node.start(addresses[peer]) for node, peer in zip(nodes, found, strict=True)))
    try:
        await until(lambda: OTHER in found[PEER] and PEER in found[OTHER], 10)
    finally:
        await asyncio.gather(*(node.stop() for node in nodes))
        watcher.cancel()
    assert found[PEER] == {OTHER: addresses[OTHER]}
    assert found[OTHER] == {PEER: addresses[PEER]}
    assert longest_s < 0.5


async def test_a_network_without_multicast_is_no_reason_not_to_run(caplog, monkeypatch):
    def refuse(**_):
        raise OSError(19, "No such device")

    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", refuse)
    node = LocalDiscovery(PEER, lambda *_: None)
    await node.start([A])
    assert "not looking for peers" in caplog.text
    await node.stop()


async def test_stopping_while_still_announcing():
    node = LocalDiscovery(PEER, lambda *_: None)
    task = asyncio.create_task(node.start([f"/ip4/127.0.0.1/tcp/7000/p2p/{PEER}"]))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await node.stop()
