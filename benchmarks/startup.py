"""Seconds until a node answers, empty and with 100,000 picos; and what idle picos cost in memory."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Options, folder, main, median, say, table
from benchmarks.population import populate

POPULATION = 100_000


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from starting the process to its first answer, and until it talks to other nodes; memory."""

    answers_s: float
    peers_s: float
    resident_mb: float


def start_once(home: Path) -> Start:
    began = time.perf_counter()
    command = [sys.executable, "-m", "pico_node.cli.main", "up", "--home", str(home), "--http", "127.0.0.1:0"]
    node = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True)
    port = 0
    try:
        assert node.stdout is not None, "its output is a pipe"
        for line in node.stdout:
            if listens := re.search(r"^listens on\s+/ip4/127.0.0.1/tcp/(\d+)/", line):
                port = int(listens[1])
            elif ready := re.search(r"^ready\s+(http://\S+)", line):
                with urllib.request.urlopen(ready[1] + "/healthz") as answer:
                    assert answer.status == 200, "the node is well"
                answers_s = time.perf_counter() - began
                with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
                    assert peer.recv(1), "libp2p speaks first"
                peers_s = time.perf_counter() - began
                return Start(answers_s, peers_s, resident_mb(node.pid))
        raise RuntimeError("the node ended before it was ready")
    finally:
        node.terminate()
        node.wait()


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):  # without files that are mapped, which the system takes back at will
            return int(line.split()[1]) / 1_024
    return 0.0


async def run(options: Options) -> Mapping[str, float]:
    runs = 3 if options.quick else 7
    with folder() as empty, folder() as crowded:
        say(f"populating a store with {POPULATION:,} picos")
        populate(crowded / "store", POPULATION)
        start_once(empty)
        start_once(crowded)
        small = [start_once(empty) for _ in range(runs)]
        large = [start_once(crowded) for _ in range(runs)]
    small_s, large_s = (median([one.answers_s for one in starts]) for starts in (small, large))
    small_mb, large_mb = (median([one.resident_mb for one in starts]) for starts in (small, large))
    peers_s = median([one.peers_s for one in large])
    per_pico = (large_mb - small_mb) * 1_048_576 / POPULATION
    table(
        [
            ("start-up of an empty node", f"{small_s:.2f} s, {small_mb:.0f} MB"),
            (f"start-up with {POPULATION:,} picos", f"{large_s:.2f} s, {large_mb:.0f} MB"),
            ("until it talks to other nodes", f"{peers_s:.2f} s"),
            ("memory per idle pico", f"{per_pico:.0f} bytes"),
        ]
    )
    return {
        "seconds_with_100k_picos": large_s,
        "seconds_empty": small_s,
        "seconds_until_peers": peers_s,
        "bytes_per_idle_pico": per_pico,
    }


if __name__ == "__main__":
    main(run)
