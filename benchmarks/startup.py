"""Seconds until a node answers, empty and with 100,000 picos; and what idle picos cost in memory."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import Options, folder, main, median, say, table
from benchmarks.population import populate

POPULATION = 100_000


def start_once(home: Path) -> tuple[float, float]:
    """Seconds from starting the process to its first answer; resident megabytes then."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pico_node.cli.main", "up", "--home", str(home), "--http", "127.0.0.1:0"]
    node = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout is not None, "its output is a pipe"
        for line in node.stdout:
            ready = re.search(r"^ready\s+(http://\S+)", line)
            if ready:
                with urllib.request.urlopen(ready[1] + "/healthz") as answer:
                    assert answer.status == 200, "the node is well"
                return time.perf_counter() - began, resident_mb(node.pid)
        raise RuntimeError("the node ended before it was ready")
    finally:
        node.terminate()
        node.wait()


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
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
    small_s, large_s = median([one[0] for one in small]), median([one[0] for one in large])
    small_mb, large_mb = median([one[1] for one in small]), median([one[1] for one in large])
    per_pico = (large_mb - small_mb) * 1_048_576 / POPULATION
    table(
        [
            ("start-up of an empty node", f"{small_s:.2f} s, {small_mb:.0f} MB"),
            (f"start-up with {POPULATION:,} picos", f"{large_s:.2f} s, {large_mb:.0f} MB"),
            ("memory per idle pico", f"{per_pico:.0f} bytes"),
        ]
    )
    return {
        "seconds_with_100k_picos": large_s,
        "seconds_empty": small_s,
        "bytes_per_idle_pico": per_pico,
    }


if __name__ == "__main__":
    main(run)
