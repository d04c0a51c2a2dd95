"""What we rest on in py-libp2p 0.8.1. When a test here fails after an upgrade, read corrections.py again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import logging
import os
import socket
import subprocess
import sys

import pytest
import trio
from libp2p.network.connection import swarm_connection
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.protocol_muxer.multiselect import Multiselect
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from pico_node.peers import PeerLimits, corrections
from tests.node.peers.helpers import until

RESTS_ON = {
    Swarm.upgrade_inbound_raw_conn: "e24c4285f494767a",
    Swarm.upgrade_outbound_raw_conn: "54a8867681b2f4f0",
    Swarm.add_conn: "d469d71b3ed1f4df",
    Swarm.run: "15ac9440b4fed110",
    swarm_connection.SwarmConn._handle_muxed_stream: "fb51f8a3e37c9800",
    swarm_connection.SwarmConn.close: "442c6259a8e9e45e",
    swarm_connection.SwarmConn._cleanup: "84470a285af6c287",
    yamux.Yamux.handle_incoming: "ad15ff6943feac20",
    yamux.Yamux._read_data_body: "54cc06c91ba6ee15",
    yamux.Yamux._write_frame: "16ff969cdd0d2b1b",
    yamux.Yamux._cleanup_on_error: "4fed61a999a34989",
    yamux.YamuxStream.write: "d87f74dfb53ab194",
    yamux.YamuxStream.read: "ca585f2199fd4e83",
    MuxerMultistream.select_transport: "0b8cb6f78cda7ae4",
    TransportUpgrader.upgrade_connection: "0c3f2991f070b2b9",
    Multiselect.negotiate: "e870e3fe41c87e3c",
}


def digest(function) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def test_the_version_is_the_one_that_was_measured():
    assert importlib.metadata.version("libp2p") == corrections.LIBP2P_VERSION


@pytest.mark.parametrize("function", RESTS_ON, ids=lambda function: function.__qualname__)
def test_upstream_has_not_changed(function):
    assert digest(function) == RESTS_ON[function], "read what changed, then adapt corrections.py and wire.py"


def test_upstream_still_needs_the_corrections():
    """If one of these fails the correction may have become needless."""
    assert "logging.debug(" in inspect.getsource(swarm_connection)
    assert "recv_window = 0" in inspect.getsource(yamux.Yamux.handle_incoming), "the window is enforced now?"
    assert "move_on_after(5.0)" in inspect.getsource(yamux.YamuxStream.write), "writes wait longer now?"
    assert "SO_REUSEPORT" in inspect.getsource(sys.modules["libp2p.transport.tcp.tcp"])


def test_libp2p_writes_nothing_to_stderr_and_installs_no_handler():
    script = (
        "import logging; from pico_node.peers import PeerLimits, corrections;"
        "corrections.apply(PeerLimits()); corrections.apply(PeerLimits());"
        "import libp2p.network.connection.swarm_connection as s;"
        "s.logging.debug('x'); s.logging.warning('x'); logging.getLogger('libp2p.network').error('x');"
        "assert not logging.getLogger().handlers; assert len(logging.getLogger('libp2p').handlers) == 1"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_what_libp2p_logs_can_be_read_where_it_is_asked_for(caplog):
    corrections.apply(PeerLimits())
    caplog.set_level(logging.DEBUG, "picomesh.peers.libp2p")
    logging.getLogger("libp2p.network").warning("a word from %s", "below")
    assert "a word from below" in caplog.text


def test_importing_the_package_does_not_import_libp2p():
    script = (
        "import sys, pico_node.peers, pico_node.peers.testing;"
        "assert not {'libp2p', 'trio', 'zeroconf'} & set(sys.modules);"
        "assert pico_node.peers.Peers; assert 'trio' in sys.modules; assert 'libp2p' not in sys.modules;"
        "import pico_node.peers.edge; assert 'libp2p' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


async def test_the_auto_connector_dials_nobody(node):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        stranger.settimeout(0.3)
        peers, _ = await node("a")
        swarm = peers._edge._swarm
        other = ID.from_base58("12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5")
        address = Multiaddr(f"/ip4/127.0.0.1/tcp/{stranger.getsockname()[1]}")
        swarm.peerstore.add_addrs(other, [address], 60)
        await peers._guest.call(swarm.auto_connector.maybe_connect)
        with pytest.raises(TimeoutError):
            stranger.accept()


async def push(peers, peer_id: str, amount: int) -> int:
    """Open a stream for a protocol whose handler does not read, and ignore the window."""
    edge = peers._edge
    (conn,) = [c for c in edge._connections() if str(c.muxed_conn.peer_id) == peer_id]
    stream = await edge.open_stream(conn, "/test/deaf")
    muxed, sent = conn.muxed_conn, 0
    chunk = os.urandom(60_000)
    try:
        while sent < amount and not muxed.is_closed:
            head = yamux.struct.pack(
                yamux.YAMUX_HEADER_FORMAT, 0, yamux.TYPE_DATA, 0, stream.muxed_stream.stream_id, len(chunk)
            )
            await muxed._write_frame(head + chunk)
            sent += len(chunk)
    except Exception as error:
        print("stopped:", error)
    return sent


async def test_a_peer_that_ignores_flow_control_is_dropped(node):
    a, seen_a = await node("a")
    b, seen_b = await node("b")

    async def deaf(peer_id, stream):
        await trio.sleep_forever()

    b._edge._handlers["/test/deaf"] = deaf
    b._edge._host.get_mux().add_handler("/test/deaf", None)
    a.connect(b.peer_id, b.addresses)
    await until(lambda: seen_a.sessions and seen_b.sessions)
    sent = await a._guest.call(push, a, b.peer_id, 40_000_000)
    await until(lambda: b.counters()["floods"] == 1)
    await until(lambda: seen_b.downs())
    assert sent < 20_000_000
    await until(lambda: seen_a.sessions and seen_b.sessions)  # the host lives, and the pair joins again
