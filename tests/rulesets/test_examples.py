"""The example day and the script that posts it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from pico_engine.harness import Harness
from pico_rulesets.sensor import TemperatureSensor

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_day_is_what_its_script_writes() -> None:
    assert (EXAMPLES / "day.jsonl").read_text() == "\n".join(load("seattle_day").lines()) + "\n"


def test_a_sensor_takes_the_whole_day() -> None:
    pico = Harness(TemperatureSensor, config={"threshold": 74.0})
    start = pico.clock.now
    for line in (EXAMPLES / "day.jsonl").read_text().splitlines():
        row = json.loads(line)
        pico.clock.now = start + row["at_s"] * 1000
        assert pico.event(row["event"], row["attrs"]).names[0] == "readings"
    statistics = pico.query(TemperatureSensor, "statistics")
    assert statistics == {"hours": 24.0, "count": 288, "min": 57.1, "max": 74.7, "mean": statistics["mean"]}
    assert 65 < statistics["mean"] < 66
    violations = pico.query(TemperatureSensor, "threshold_violations")
    assert all(one["temperature"] > 74 for one in violations)
    assert len(violations) == sum(
        one["temperature"] > 74 for one in pico.query(TemperatureSensor, "temperatures")
    )
    assert pico.query(TemperatureSensor, "rejected") == []


class _Door(BaseHTTPRequestHandler):
    """Answers as a node does, and keeps what was posted."""

    posted: list[tuple[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append((self.path, body))
        directives = [{"name": "rejected", "options": {"reason": "hot"}}] if "bad" in body else []
        self.send_response(404 if "ghost" in self.path else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"eid": "1", "directives": directives}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def door() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    handler = type("Door", (_Door,), {"posted": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/c/did:example:eci", handler.posted
        server.shutdown()
        thread.join()


def test_replay_posts_events(door: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]) -> None:
    url, posted = door
    assert load("replay").main(["--url", url, "--limit", "3"]) == 0
    assert [path for path, _ in posted] == ["/c/did:example:eci/event-wait/wovyn/heartbeat"] * 3
    assert posted[0][1]["genericThing"]["data"]["temperature"][0]["temperatureF"] == 61.1
    assert capsys.readouterr().out == "3 posted, 0 refused\n"


def test_replay_keeps_the_time(door: tuple[str, list[Any]]) -> None:
    import time

    url, posted = door
    before = time.monotonic()
    load("replay").main(["--url", url, "--limit", "3", "--speed", "3000"])
    assert len(posted) == 3
    assert time.monotonic() - before >= 0.2  # ten minutes, 3,000 times as fast


def test_replay_says_what_was_refused(
    door: tuple[str, list[Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, _ = door
    file = tmp_path / "some.jsonl"
    file.write_text('{"at_s": 0, "event": "a:b", "attrs": {"bad": 1}}\n')
    replay = load("replay")
    assert replay.main([str(file), "--url", url]) == 1
    assert "at 0 s: hot" in capsys.readouterr().err
    assert replay.main([str(file), "--url", url.replace("did:", "ghost:")]) == 1
    assert "404" in capsys.readouterr().err
    assert replay.main([str(tmp_path / "none"), "--url", url]) == 1
    assert "cannot go on" in capsys.readouterr().err
