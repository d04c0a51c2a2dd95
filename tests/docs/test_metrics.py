"""The reference of metrics has every name that the code can make."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path

from pico_engine.harness import SeededEntropy
from pico_engine.registry import Registry
from pico_engine.store import MemoryStore
from pico_node.agent import Agent
from pico_node.driver import Driver
from pico_node.http.counters import HttpCounters
from pico_node.http.metrics import COUNTED, GAUGES, PREFIX, prometheus_text
from pico_node.node import Node
from pico_node.peers.counters import Counters
from pico_node.peers.testing import LoopbackPeers, Switchboard
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text()
NAMES = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
CORE = (ROOT / "engine" / "pico_engine", ROOT / "node" / "pico_node" / "agent")


def text_of(node: ast.expr) -> str | None:
    """A literal's text; what an f-string fills in is CODE."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("-", "_")
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "CODE" for part in node.values)
    return None


def counts(owner: ast.expr, file: Path) -> bool:
    """Is it the engine whose `count` is called? Texts and event expressions have one, too."""
    name = ast.unparse(owner)
    return name.split(".")[-1].lstrip("_") == "engine" or (name == "self" and file.name == "engine.py")


def literals(folder: Path, *, subscripts: bool) -> set[str]:
    """What is counted in these files: `count("x")`, or `counters["x"]`."""
    found = set()
    for file in [folder] if folder.is_file() else folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not subscripts and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr == "count" and node.args and counts(node.func.value, file):
                    found.add(text_of(node.args[0]))
            elif (
                subscripts and isinstance(node, ast.Subscript) and ast.unparse(node.value) == "self.counters"
            ):
                found.add(text_of(node.slice))
    return {name for name in found if name is not None}


def test_what_the_core_counts_is_there() -> None:
    counted = {f"engine_{name}" for folder in CORE for name in literals(folder, subscripts=False)}
    assert "engine_rules_failed" in counted
    assert "engine_refused_CODE" in counted
    assert counted - NAMES == set()


def test_what_the_driver_counts_is_there() -> None:
    counted = literals(ROOT / "node" / "pico_node" / "driver.py", subscripts=True)
    assert {f"driver_{name}" for name in counted} - NAMES == set()
    assert "ticks" in counted


def test_what_the_edge_and_the_http_doors_count_is_there() -> None:
    assert {f"peers_{field.name}" for field in fields(Counters)} - NAMES == set()
    assert set(HttpCounters().metrics()) - NAMES == set()


class RunningStore(MemoryStore):
    def reopen(self) -> None:
        """It never fails."""


def make_agent(store: MemoryStore) -> Agent:
    return Agent(store, Registry([Wrangler, Subscription]), SeededEntropy(1), bytes(range(32)))


async def test_what_a_running_node_shows_is_there() -> None:
    driver = Driver(RunningStore(), make_agent, LoopbackPeers(bytes(32), Switchboard(), NoEvents()))
    driver.start()
    await driver.command("pico_new", name="one")
    shown = {**driver.metrics(), **HttpCounters().metrics()}
    await driver.stop()
    of_the_process = set(re.findall(r'"(\w+)": time', inspect.getsource(Node.metrics)))
    assert of_the_process == {"uptime_seconds"}
    assert set(shown) - NAMES == set()
    promised = {name for name in NAMES if not name.startswith(("engine_", "driver_", "peers_", "http_"))}
    assert promised == {name for name in {*shown, *of_the_process} if name in promised}
    assert {name for name in NAMES if name.startswith("peers_")} == {
        f"peers_{f.name}" for f in fields(Counters)
    }


class NoEvents:
    """Hears what the edge says and does nothing."""

    def __getattr__(self, name):
        return lambda *arguments: None


def test_the_prefix_and_the_kinds_are_as_the_page_says() -> None:
    assert f"begins with `{PREFIX}`" in PAGE
    text = prometheus_text({"driver_ticks": 1, "sessions": 2, "peers_sessions": 3})
    assert "# TYPE picomesh_driver_ticks_total counter\npicomesh_driver_ticks_total 1.0" in text
    assert "# TYPE picomesh_sessions gauge" in text
    assert "# TYPE picomesh_peers_sessions gauge" in text
    assert "`picomesh_driver_ticks_total`" in PAGE


def test_what_only_goes_up_is_a_counter() -> None:
    ups = set(re.findall(r"^\| `(\w+)` \| yes", PAGE, re.MULTILINE))
    counted = {name for name in NAMES if name.startswith(COUNTED) and name not in GAUGES}
    assert ups == counted
