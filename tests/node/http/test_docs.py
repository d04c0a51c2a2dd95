"""docs/reference/http.md tells every route, parameter, problem, limit and metric, and nothing that is not."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pico_engine import errors
from pico_engine.errors import EngineError
from pico_node.http import problems
from pico_node.http.app import make_app
from pico_node.http.compat import CHANNEL_ROUTES, HEADERS_SHOWN, METHODS, parse_path
from pico_node.http.counters import HttpCounters
from pico_node.http.limits import HttpLimits
from pico_node.http.metrics import PREFIX, prometheus_text
from pico_node.http.operations import API, OPERATIONS
from tests.node.http.helpers import TOKEN, FakeNode

TEXT = (Path(__file__).parents[3] / "docs/reference/http.md").read_text("utf-8")


def test_every_route_of_the_application():
    told = set(re.findall(r"`(GET|POST|PUT|DELETE) (/\S*)`", TEXT))
    served = {
        (route.method, route.resource.canonical)
        for route in make_app(FakeNode(), token=TOKEN).router.routes()
        if route.resource is not None and route.method not in ("*", "HEAD")
    }
    assert told == served


@pytest.mark.parametrize("route", CHANNEL_ROUTES)
def test_every_channel_url(route):
    assert f"`{route}`" in TEXT
    assert parse_path(route) is not None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_parameter(operation):
    (line,) = [line for line in TEXT.splitlines() if f"`{operation.method} {API}{operation.path}`" in line]
    assert f"`{operation.command}`" in line
    for field in operation.fields:
        assert f"`{field.name}`" in line
        assert (f"**`{field.name}`**" in line) == field.required


def test_every_problem():
    for module in (errors, problems):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, EngineError):
                assert re.search(rf"\| `{kind.code}` \| \d+ \|", TEXT), kind.code


def test_every_limit_with_its_default():
    for field in fields(HttpLimits):
        assert f"| `{field.name}` | {field.default:,} |" in TEXT


def test_every_metric_header_and_method():
    exposed = re.findall(r"^# TYPE (\w+) ", prometheus_text(HttpCounters().metrics()), re.MULTILINE)
    assert len(exposed) == len(HttpCounters().metrics())
    assert set(re.findall(rf"`({PREFIX}\w+)`", TEXT)) == set(exposed)
    for name in HEADERS_SHOWN:
        assert f"`{name}`" in TEXT
    (line,) = [line for line in TEXT.splitlines() if line.startswith("- Methods:")]
    assert set(re.findall("[A-Z]{3,}", line.partition(", all")[0])) == METHODS
