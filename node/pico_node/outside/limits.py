"""Limits of the requests that the node makes to the world outside, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutsideLimits:
    """Limits per node; docs/reference/limits.md lists them."""

    answer_max_bytes: int = 1_048_576
    """One answer's body, unpacked: it becomes a value in memory, which has the same limit when kept."""
    request_max_s: float = 8.0
    """One request with its redirects: less than a turn waits for it (wait_max_ms), so that it hears why."""
    redirects_max: int = 5
    """Redirects that one request follows; each is checked as the first address was."""
    open_max: int = 64
    """Requests at the same time: each takes a file descriptor, of which a process commonly has 1,024."""
    open_per_pico_max: int = 4
    """Of one pico at the same time; its others wait in line."""
    line_per_pico_max: int = 256
    """Requests of one pico that are open or wait in line; one turn may make as many without waiting."""
