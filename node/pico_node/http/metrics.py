"""Counters as Prometheus text: the node's own and those of the HTTP doors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "picomesh_"
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(slots=True)
class HttpCounters:
    """What the HTTP doors count; no label ever names a channel or a pico."""

    channel_requests: int = 0
    owner_requests: int = 0
    page_requests: int = 0
    refused_requests: int = 0
    refused_connections: int = 0
    connections: int = 0

    def metrics(self) -> dict[str, float]:
        return {
            "http_channel_requests_total": self.channel_requests,
            "http_owner_requests_total": self.owner_requests,
            "http_page_requests_total": self.page_requests,
            "http_refused_requests_total": self.refused_requests,
            "http_refused_connections_total": self.refused_connections,
            "http_connections": self.connections,
        }


def prometheus_text(metrics: Mapping[str, float]) -> str:
    """Names that end in `_total` are counters, all others gauges."""
    lines = []
    for name, value in sorted(metrics.items()):
        full = PREFIX + _NOT_IN_NAME.sub("_", name.removeprefix(PREFIX))
        lines.append(f"# TYPE {full} {'counter' if full.endswith('_total') else 'gauge'}\n")
        lines.append(f"{full} {_number(value)}\n")
    return "".join(lines)


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(value)
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
