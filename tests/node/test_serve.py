"""`picomesh up` as a real process: what it says, what it finds again, how it ends, when it does not start."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from pico_node.serve import EXIT_NODE_ERROR, EXIT_OK
from tests.node.processes import RealNode, wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RealNode]:
    one = RealNode(tmp_path / "home")
    try:
        yield one
    finally:
        one.close()


def start_that_fails(
    home: Path, *options: str, http: str = "127.0.0.1:0"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pico_node.cli.main", "up", "--home", str(home), "--http", http]
    done = subprocess.run(
        [*command, "--no-browser", "--no-mdns", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert done.returncode == EXIT_NODE_ERROR, (done.returncode, done.stderr)
    assert "cannot start: " in done.stderr
    return done


def said(node: RealNode, word: str) -> list[str]:
    return [line[len(word) :].strip() for line in node.said if line.startswith(word)]


def test_the_first_start_makes_everything_and_the_second_finds_it_again(node: RealNode) -> None:
    node.up()
    text = "\n".join(node.said)
    assert f"made a new node in {node.home}" in text
    assert str(node.home / "node.key") in text
    first = node.cli("status")
    assert set(first) >= {
        "version", "pid", "home", "http", "peer_id", "addresses", "root", "picos_loaded", "sessions",
        "uptime_s", "store",
    }  # fmt: skip
    assert first["http"] == node.url
    assert node.process is not None
    assert first["pid"] == node.process.pid
    assert first["home"] == str(node.home)
    assert first["store"] == "ok"
    assert said(node, "peer id") == [first["peer_id"]]
    assert said(node, "listens on") == first["addresses"]
    assert first["addresses"][0].endswith("/p2p/" + first["peer_id"])
    assert json.loads((node.home / "node.json").read_text())["http"] == node.url
    assert node.stop() == EXIT_OK

    node.up()
    assert f"found the node in {node.home} again" in "\n".join(node.said)
    second = node.cli("status")
    for same in ("peer_id", "root", "addresses"):
        assert second[same] == first[same], same
    assert second["pid"] != first["pid"]
    assert node.stop() == EXIT_OK


def test_a_kill_does_not_change_who_it_is(node: RealNode) -> None:
    node.up()
    first = node.cli("status")
    node.kill()
    node.up()
    second = node.cli("status")
    assert (second["peer_id"], second["root"]) == (first["peer_id"], first["root"])


def test_sigint_ends_it_too(node: RealNode) -> None:
    node.up()
    assert node.process is not None
    node.process.send_signal(signal.SIGINT)
    assert node.process.wait(timeout=30) == EXIT_OK
    node.stop()


def test_a_stop_is_quick_and_says_no_errors(node: RealNode) -> None:
    node.up()
    began = time.monotonic()
    assert node.stop() == EXIT_OK
    assert time.monotonic() - began < 5
    log = (node.home.parent / "home.log").read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "stopping" in log


def test_a_second_process_on_the_same_home_is_refused(node: RealNode) -> None:
    node.up()
    done = start_that_fails(node.home)
    assert "open already, in the process with id" in done.stderr
    assert "--home" in done.stderr
    assert node.cli("status")["store"] == "ok"


def test_a_taken_http_port_is_a_clear_error(node: RealNode, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = start_that_fails(tmp_path / "home", http=f"127.0.0.1:{port}")
        assert str(port) in done.stderr
        assert "in use" in done.stderr
    node.up()
    assert node.cli("status")["store"] == "ok", "the failed start left a whole home"


def test_a_taken_libp2p_port_that_was_asked_for_is_a_clear_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = start_that_fails(tmp_path / "home", "--listen", f"/ip4/127.0.0.1/tcp/{port}")
        assert str(port) in done.stderr


def test_a_taken_libp2p_port_of_the_last_run_is_replaced(node: RealNode) -> None:
    node.up()
    port = int(node.cli("status")["addresses"][0].split("/")[4])
    node.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        node.up()
        other = int(node.cli("status")["addresses"][0].split("/")[4])
        assert other != port


@pytest.mark.parametrize("damaged", ["", "not a key", "ab" * 31])
def test_a_damaged_key_is_a_clear_error(tmp_path: Path, damaged: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "node.key").write_text(damaged)
    done = start_that_fails(home)
    assert "node.key" in done.stderr
    assert not (home / "store").exists() or not list((home / "store").iterdir())


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert str(tmp_path / "home") in start_that_fails(tmp_path / "home").stderr


def test_a_bad_address_is_a_clear_error(tmp_path: Path) -> None:
    done = start_that_fails(tmp_path / "home", "--listen", "/ip4/127.0.0.1/udp/1/quic-v9")
    assert "quic" in done.stderr or "address" in done.stderr


def test_a_broken_ruleset_file_is_named_and_the_node_runs(node: RealNode) -> None:
    node.add_ruleset("broken.py", "this is not Python")
    node.up()
    assert any("broken.py" in line for line in said(node, "problem"))
    assert node.cli("status")["store"] == "ok"


# -- a full disk --------------------------------------------------------------------------------------------

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pico_node.cli.main import main
sys.argv[0] = "picomesh"
main()
"""


def set_file_size(pid: int, count: int) -> None:
    """From outside, as a disk fills up and is emptied again."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (count, resource.RLIM_INFINITY))


class FullDiskNode(RealNode):
    """Its files can be kept from growing."""

    def up(self, *options: str) -> RealNode:
        command = [sys.executable, "-c", LIMITED, "up", "--home", str(self.home)]
        with (self.home.parent / f"{self.home.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--http", "127.0.0.1:0", "--no-browser", "--no-mdns", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ},
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("ready"):
                self.url = line.split()[1]
                return self
        raise AssertionError((self.home.parent / f"{self.home.name}.log").read_text())


RULES = '''
from pico_engine import Ruleset, ent, query, rule, when

class Keeper(Ruleset, rid="test.keeper"):
    """Keeps what it is given."""

    kept: list = ent(default=[])

    @query
    def numbers(self):
        return [one["n"] for one in self.kept]

    @rule(when("keep:this"))
    def keep(self, event):
        self.kept.append({"n": event.attrs["n"], "text": event.attrs["text"]})
'''


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    node = FullDiskNode(tmp_path / "home")
    node.add_ruleset("keeper.py", RULES)
    try:
        node.up()
        assert node.process is not None
        node.cli("pico", "new", "keeper")
        node.cli("ruleset", "install", "keeper", "test.keeper")
        channel = node.cli("channel", "new", "keeper", "--tag", "test")["id"]
        acknowledged: list[int] = []
        statuses: set[int] = set()

        def keep(n: int) -> str:
            """What the node says is wrong: in the existing engine's form, but not with status 200."""
            body = {"n": n, "text": os.urandom(25_000).hex()}
            try:
                node.post(f"/c/{channel}/event-wait/keep/this", body)
            except urllib.error.HTTPError as error:
                statuses.add(error.code)
                with error:
                    return json.load(error)["error"]
            acknowledged.append(n)
            return ""

        for n in range(5):
            assert keep(n) == ""
        set_file_size(node.process.pid, 300_000)
        problems = [keep(n) for n in range(5, 25)]
        assert any("no room" in problem for problem in problems)
        assert statuses <= {500, 507}
        assert node.process.poll() is None
        set_file_size(node.process.pid, resource.RLIM_INFINITY)
        wait_until(lambda: keep(100) == "", what="the node goes on when there is room")
        found = node.ask(channel, "test.keeper", "numbers")
        assert found == acknowledged
        node.kill()
        node.up()
        assert node.ask(channel, "test.keeper", "numbers") == acknowledged
        assert node.stop() == EXIT_OK
    finally:
        node.close()
