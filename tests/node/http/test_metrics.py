"""Metrics as Prometheus reads them; closed unless opened."""

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from pico_node.http.counters import HttpCounters
from pico_node.http.metrics import prometheus_text
from tests.node.http.helpers import ECI, TOKEN


def read(text: str) -> dict[str, tuple[str, float]]:
    return {
        sample.name: (family.type, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_text_is_what_prometheus_reads():
    found = read(prometheus_text({"engine_turns": 3, "sessions": 1.5, "odd-name.x": math.inf}))
    assert found == {
        "picomesh_engine_turns_total": ("counter", 3.0),
        "picomesh_sessions": ("gauge", 1.5),
        "picomesh_odd_name_x": ("gauge", math.inf),
    }


async def test_both_the_nodes_and_our_counters_are_there(world):
    world.node.counters = {"engine_turns": 7}
    await world.ask("GET", f"/c/{ECI}/event-wait/a/b")
    await world.ask("GET", "/c/nobody/event-wait/a/b")
    await world.own("GET", "/status")
    status, text, _ = await world.ask("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert status == 200
    found = read(text)
    assert found["picomesh_engine_turns_total"] == ("counter", 7.0)
    assert found["picomesh_http_channel_requests_total"] == ("counter", 2.0)
    assert found["picomesh_http_owner_requests_total"] == ("counter", 1.0)
    assert found["picomesh_http_refused_requests_total"] == ("counter", 1.0)
    shown = {name.removeprefix("picomesh_").removesuffix("_total") for name in found}
    assert set(HttpCounters().metrics()) <= shown


async def test_metrics_can_be_opened(worlds):
    assert (await (await worlds()).ask("GET", "/metrics"))[0] == 401
    assert (await (await worlds(open_metrics=True)).ask("GET", "/metrics"))[0] == 200
