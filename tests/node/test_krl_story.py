"""A KRL ruleset on a real node: installed from a file, killed with the node, flushed, watched."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.processes import RealNode, wait_until

pytestmark = pytest.mark.processes

VERSION_1 = """
ruleset test.counter {
  meta { shares count, version }
  global {
    version = function(){ 1 }
    count = function(){ ent:count || 0 }
  }
  rule inc { select when counter inc
    fired { ent:count := (ent:count || 0) + 1 } }
  rule pair { select when counter a then counter b
    fired { ent:pairs := (ent:pairs || 0) + 1 } }
}
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RealNode]:
    node = RealNode(tmp_path / "home")
    try:
        yield node
    finally:
        node.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "test.counter.krl"
    file.write_text(VERSION_1)
    return file


def test_an_installation_survives_kill_9_and_needs_the_file_no_more(node: RealNode, file: Path) -> None:
    node.up()
    told = node.cli("ruleset", "install", "@", str(file))
    node.kill()  # at once behind the acknowledgement
    file.unlink()
    node.up()
    assert [one["hash"] for one in node.cli("ruleset", "urls")] == [told["hash"]]
    node.cli("event", "@", "counter:inc")
    assert node.ask("@", "test.counter", "count") == 1
    node.kill()
    node.up()
    assert node.ask("@", "test.counter", "count") == 1
    assert any((node.home / "cache" / "krl").iterdir())


def test_the_owner_hears_of_warnings_also_when_the_compiled_form_comes_from_the_cache(
    node: RealNode, file: Path
) -> None:
    file.write_text(VERSION_1.replace("fired { ent:c", 'pre { old = event:attr("a") } fired { ent:c'))
    warning = f"{file.as_uri()}:9:17: warning: "
    node.up()
    for command in ("install", "flush"):
        (told,) = node.cli("ruleset", command, *(["@"] if command == "install" else []), str(file))[
            "warnings"
        ]
        assert told.startswith(warning)
        assert "hint: " in told
    (entry,) = [one for one in node.cli("logs") if one["level"] == "warning"][:1]
    assert entry["text"].startswith(warning)
    node.kill()
    code = list((node.home / "cache" / "krl").iterdir())
    assert len(code) == 1
    code[0].touch()
    written = code[0].stat().st_mtime_ns
    node.up()
    (told,) = node.cli("ruleset", "flush", str(file))["warnings"]
    assert told.startswith(warning)
    assert code[0].stat().st_mtime_ns == written  # it was read, and not compiled again
    assert node.ask("@", "test.counter", "count") == 0


def test_a_flush_and_a_watched_file(node: RealNode, file: Path) -> None:
    node.up("--watch")
    node.cli("ruleset", "install", "@", str(file))
    file.write_text(VERSION_1.replace("{ 1 }", "{ 2 }"))
    node.cli("ruleset", "flush", str(file))
    assert node.ask("@", "test.counter", "version") == 2
    file.write_text("ruleset test.counter { meta {")
    log = node.home.parent / f"{node.home.name}.log"
    wait_until(lambda: "the old version runs on" in log.read_text(), what="the error in the log")
    assert node.ask("@", "test.counter", "version") == 2
    file.write_text(VERSION_1.replace("{ 1 }", "{ 33 }"))
    wait_until(lambda: node.ask("@", "test.counter", "version") == 33, what="the new version")


def test_the_existing_engines_clients_are_served_by_a_real_process(node: RealNode, file: Path) -> None:
    node.up("--compat", "--ruleset-folder", str(file.parent))
    assert any("--compat" in line for line in node.said)

    def get(path: str) -> object:
        with urllib.request.urlopen(node.url + path, timeout=10) as answer:
            return json.loads(answer.read())

    context = get("/api/ui-context")
    assert isinstance(context, dict)
    get(f"/c/{context['eci']}/event-wait/engine_ui/install?url={file.as_uri()}")
    testing = get(f"/c/{context['eci']}/query/test.counter/__testing")
    assert isinstance(testing, dict)
    assert {"name": "count", "args": []} in testing["queries"]
