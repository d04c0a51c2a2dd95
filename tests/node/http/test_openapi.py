"""The OpenAPI document tells what is served, and holds together."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from pico_engine.errors import UnknownPico
from pico_node.http.app import make_app
from pico_node.http.openapi import openapi_document
from pico_node.http.operations import API, OPERATIONS
from pico_node.http.owner import COOKIE_NAME
from pico_node.http.problems import PROBLEM_TYPE, problem_details
from tests.node.http.helpers import TOKEN, FakeNode


async def test_openapi_tells_every_operation(world):
    status, document, _ = await world.own("GET", "/openapi.json")
    assert status == 200
    assert document == json.loads(json.dumps(openapi_document()))
    assert document["openapi"] == "3.1.0"
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert routes == {(one.method, API + one.path) for one in OPERATIONS} | {
        ("POST", API + "/login-codes"), ("GET", API + "/openapi.json"),
    }  # fmt: skip
    served = {
        (route.method, route.resource.canonical)
        for route in make_app(FakeNode(), token=TOKEN).router.routes()
        if isinstance(route, web.AbstractRoute) and route.resource is not None
    }
    assert routes <= served


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_parameter_stands_where_it_is_taken(operation):
    told = openapi_document()["paths"][API + operation.path][operation.method.lower()]
    assert told["summary"] == operation.about
    assert set(told["responses"]) == {str(operation.status), "4XX", "5XX"}
    places = {(one["name"], one["in"]): one for one in told.get("parameters", ())}
    assert set(places) == {(name, "path") for name in operation.path_names} | {
        (field.name, "query") for field in operation.fields_in("query")
    }
    assert all(one["required"] for (_, place), one in places.items() if place == "path")
    body = operation.fields_in("body")
    assert ("requestBody" in told) == bool(body)
    if body:
        schema = told["requestBody"]["content"]["application/json"]["schema"]
        assert schema["additionalProperties"] is False
        assert list(schema["properties"]) == [field.name for field in body]
        assert schema["required"] == [field.name for field in body if field.required]
        assert told["requestBody"]["required"] == bool(schema["required"])


def test_problems_are_as_the_document_tells():
    document = openapi_document()
    problem = document["components"]["schemas"]["Problem"]
    details = problem_details(UnknownPico("no pico x"))
    assert set(details) == set(problem["properties"]) == set(problem["required"])
    kinds = {"string": str, "integer": int}
    assert all(isinstance(details[name], kinds[one["type"]]) for name, one in problem["properties"].items())
    for methods in document["paths"].values():
        for told in methods.values():
            schema = told["responses"]["4XX"]["content"][PROBLEM_TYPE]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


def test_both_ways_in_are_told():
    schemes = openapi_document()["components"]["securitySchemes"]
    assert {name for one in openapi_document()["security"] for name in one} == set(schemes)
    assert schemes["session"]["name"] == COOKIE_NAME
