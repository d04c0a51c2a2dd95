"""What the HTTP doors count."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class HttpCounters:
    """What the HTTP doors count; no label ever names a channel or a pico."""

    channel_requests: int = 0
    owner_requests: int = 0
    page_requests: int = 0
    didcomm_requests: int = 0
    refused_requests: int = 0
    refused_connections: int = 0
    connections: int = 0

    def metrics(self) -> dict[str, float]:
        return {f"http_{name}": value for name, value in asdict(self).items()}
