"""The owner's API as an OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

from functools import cache

from pico_engine.values import Json
from pico_node.http.fields import TEXT, Field
from pico_node.http.operations import API, OPERATIONS, Operation
from pico_node.http.problems import PROBLEM_TYPE

OPENAPI_VERSION = "3.1.0"
API_VERSION = "1"

_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "hint", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "code": {"type": "string"},
    },
}


@cache
def openapi_document() -> Json:
    """The whole document; do not change it."""
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(API + operation.path, {})[operation.method.lower()] = _operation(operation)
    paths[API + "/login-codes"] = {
        "post": {"summary": "a link that logs one browser in", "responses": _responses(201)}
    }
    paths[API + "/openapi.json"] = {"get": {"summary": "this document", "responses": _responses(200)}}
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "picomesh: the owner's API", "version": API_VERSION},
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "picomesh_session"},
            },
        },
    }


def _operation(operation: Operation) -> Json:
    parameters = [
        _parameter(Field(name, TEXT, "`@` is the root pico" if name == "pico" else name), "path")
        for name in operation.path_names
    ]
    parameters += [_parameter(field, "query") for field in operation.fields_in("query")]
    described: dict[str, Json] = {"summary": operation.about, "responses": _responses(operation.status)}
    if parameters:
        described["parameters"] = parameters
    body = operation.fields_in("body")
    if body:
        described["requestBody"] = {
            "required": any(field.required for field in body),
            "content": {"application/json": {"schema": _object(body)}},
        }
    return described


def _parameter(field: Field, place: str) -> Json:
    return {
        "name": field.name,
        "in": place,
        "description": field.about,
        "required": place == "path" or field.required,
        "schema": field.kind.schema,
    }


def _object(fields: tuple[Field, ...]) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: {**field.kind.schema, "description": field.about} for field in fields},
    }


def _responses(status: int) -> Json:
    problem = {"content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {
        str(status): {"description": "done", "content": {"application/json": {}}},
        "4XX": {"description": "refused", **problem},
        "5XX": {"description": "failed", **problem},
    }
