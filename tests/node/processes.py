"""Real node processes for tests: started by the command line, asked by it and over HTTP, killed at will."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

READY_MAX_S = 30
"""A start takes about a second; a loaded machine takes its time."""


class RealNode:
    """One node: `up`, `kill` (-9), `up` again; `cli(...)` runs a command of its own against it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self.said: list[str] = []

    def _environment(self) -> dict[str, str]:
        hidden = {name: value for name, value in os.environ.items() if not name.startswith("PICOMESH_")}
        return {**hidden, "XDG_CONFIG_HOME": str(self.home.parent / "config")}

    def add_ruleset(self, name: str, text: str) -> None:
        """Put a file with rulesets in Python into the home, as its owner would before the first start."""
        folder = self.home / "rulesets"
        folder.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        (folder / name).write_text(text)

    def up(self, *options: str) -> RealNode:
        command = [sys.executable, "-m", "pico_node.cli.main", "up", "--home", str(self.home)]
        with (self.home.parent / f"{self.home.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--http", "127.0.0.1:0", "--no-browser", "--no-mdns", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment(),
            )
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("ready"):
                self.url = line.split()[1]
                return self
        raise AssertionError(f"the node ended before it was ready: {self.said}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def cli(self, *arguments: str) -> Any:
        """The JSON that a command answers; AssertionError with what it said when it failed."""
        done = subprocess.run(
            [sys.executable, "-m", "pico_node.cli.main", "--home", str(self.home), "--json", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=self._environment(),
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout)

    def ask(self, target: str, rid: str, name: str, *args: str) -> Any:
        """The result of a query."""
        return self.cli("query", target, rid, name, *args)["result"]

    def post(self, path: str, body: Any) -> Any:
        """The JSON answer of the compatible HTTP routes; OSError when the node is down."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


def wait_until(condition: Any, seconds: float = 30, what: str = "") -> Any:
    """The first true value of `condition()`; AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
