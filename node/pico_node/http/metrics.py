"""Counters as Prometheus text. Imported when somebody first asks: Prometheus's library takes its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "picomesh_"
COUNTED = ("driver_", "engine_", "http_", "outside_", "peers_")
"""Names that begin so count what happened and only go up, save these:"""
GAUGES = frozenset(
    {"http_connections", "outside_letters_open", "outside_open", "peers_half_open", "peers_sessions"}
)
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_]")


class _Given(Collector):
    """Metrics that were counted elsewhere."""

    def __init__(self, metrics: Mapping[str, float]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        for name, value in sorted(self._metrics.items()):
            full = PREFIX + _NOT_IN_NAME.sub("_", name)
            counts = name.startswith(COUNTED) and name not in GAUGES
            family = CounterMetricFamily if counts else GaugeMetricFamily
            yield family(full, "docs/reference/metrics.md", value=value)


def prometheus_text(metrics: Mapping[str, float]) -> str:
    """The text that Prometheus reads; names of counters get `_total` behind them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry).decode()
