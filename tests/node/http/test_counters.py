"""What is counted at the HTTP doors has names of its own."""

from __future__ import annotations

import subprocess
import sys

from pico_node.http.counters import HttpCounters


def test_names_say_where_they_were_counted() -> None:
    counters = HttpCounters(owner_requests=2)
    assert counters.metrics()["http_owner_requests"] == 2
    assert all(name.startswith("http_") for name in counters.metrics())


def test_a_node_starts_without_the_library_of_prometheus() -> None:
    program = "import sys, pico_node.serve; assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
