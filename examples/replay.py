"""Posts recorded events to a pico's channel over HTTP, as a device would; needs nothing but Python.

    python replay.py --url http://127.0.0.1:3000/c/ECI --speed 600 --limit 12

Each line of the file is `{"at_s": seconds, "event": "domain:type", "attrs": {...}}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TIMEOUT_S = 30
"""For one answer: a turn may wait ten seconds for others."""


def read(path: Path, limit: int) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            if limit and number >= limit:
                return
            yield json.loads(line)


def post(url: str, row: dict[str, Any]) -> Any:
    """Send one event and wait until the pico has handled it; answers the answer."""
    domain, kind = row["event"].split(":")
    request = urllib.request.Request(
        f"{url.rstrip('/')}/event-wait/{domain}/{kind}",
        data=json.dumps(row["attrs"]).encode(),
        headers={"Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=TIMEOUT_S) as response:
        return json.load(response)


def replay(url: str, rows: Iterator[dict[str, Any]], speed: float) -> tuple[int, int]:
    """Post all rows, `speed` times as fast as they were recorded (0: without waiting).

    Answers how many were posted, and how many of them the pico refused.
    """
    posted = refused = 0
    start, first = time.monotonic(), None
    for row in rows:
        first = row["at_s"] if first is None else first
        if speed > 0:
            time.sleep(max(0.0, start + (row["at_s"] - first) / speed - time.monotonic()))
        answer = post(url, row)
        posted += 1
        error = answer.get("error") or next(
            (one["options"]["reason"] for one in answer.get("directives", ()) if one["name"] == "rejected"),
            None,
        )
        if error:
            refused += 1
            print(f"at {row['at_s']} s: {error}", file=sys.stderr)
    return posted, refused


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Post recorded events to a pico's channel over HTTP.")
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).with_name("day.jsonl"))
    parser.add_argument("--url", required=True, help="the channel, as in http://127.0.0.1:3000/c/ECI")
    parser.add_argument("--speed", type=float, default=0, help="times real time; 0: as fast as it goes")
    parser.add_argument("--limit", type=int, default=0, help="post only so many; 0: all")
    options = parser.parse_args(arguments)
    try:
        posted, refused = replay(options.url, read(options.file, options.limit), options.speed)
    except urllib.error.HTTPError as error:
        print(f"{error}: {error.read(500).decode(errors='replace')}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"cannot go on: {error}", file=sys.stderr)
        return 1
    print(f"{posted} posted, {refused} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
