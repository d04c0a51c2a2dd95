"""Problems: every error is told by RFC 9457, with a code, a hint and the headers of its status."""

from __future__ import annotations

import json
import re

import pytest
from aiohttp import web

from pico_engine.errors import BadRequest, Busy, EngineError, LimitExceeded
from pico_node.http import problems
from pico_node.http.problems import (
    HttpProblem,
    MethodNotAllowed,
    NoSuchResource,
    NotAuthorised,
    from_http_exception,
    problem_details,
    problem_headers,
    problem_response,
)


def test_every_problem_says_something():
    tree = [one for one in vars(problems).values() if isinstance(one, type) and issubclass(one, EngineError)]
    assert len(tree) > 8
    for kind in tree:
        error = kind()
        assert str(error)
        assert error.hint
        assert problems.problem_details(error)["status"] == error.status


def test_the_drawing_shows_them_all():
    kinds = HttpProblem.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert re.search(rf"\b{kind.__name__}\s+{kind.status}\s", problems.__doc__ or "")


def test_a_problem_as_it_is_told():
    assert problem_details(NoSuchResource("nothing at /x", "look elsewhere")) == {
        "type": "urn:picomesh:problem:no-such-resource", "title": "Nothing lives at this path.",
        "status": 404, "detail": "nothing at /x", "hint": "look elsewhere", "code": "no-such-resource",
    }  # fmt: skip


def test_a_problem_as_an_answer():
    answer = problem_response(Busy("full"))
    assert answer.status == Busy.status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.body) == problem_details(Busy("full"))
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("error", "names"),
    [(NotAuthorised(), ["WWW-Authenticate"]), (Busy(), ["Retry-After"]), (BadRequest(), [])],
)
def test_headers_that_go_with_a_status(error, names):
    assert list(problem_headers(error)) == names


@pytest.mark.parametrize(
    ("raised", "kind", "told"),
    [
        (web.HTTPNotFound(), NoSuchResource, "nothing at /x"),
        (web.HTTPMethodNotAllowed("PUT", ["POST", "GET"]), MethodNotAllowed, "the method PUT"),
        (web.HTTPRequestEntityTooLarge(1, 2), LimitExceeded, "body_max_bytes"),
        (web.HTTPBadRequest(reason="odd"), BadRequest, "odd"),
        (web.HTTPExpectationFailed(), BadRequest, "Expectation Failed"),
    ],
)
def test_errors_of_the_framework(raised, kind, told):
    error = from_http_exception(raised, "/x")
    assert type(error) is kind
    assert told in str(error)
    assert error.hint
    if kind is MethodNotAllowed:
        assert error.hint == "use GET or POST"
