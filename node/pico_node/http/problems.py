"""What can go wrong at the HTTP doors, and how every error is told (RFC 9457).

EngineError
└── HttpProblem
    ├── NotAuthorised       401  no token or session, or a wrong one
    ├── ForeignOrigin       403  another web site's page made the request
    ├── LoginCodeInvalid    403  a login code that was used, is too old or never existed
    ├── NoSuchResource      404  no such path
    ├── MethodNotAllowed    405  the path exists, the method does not
    ├── SlowRequest         408  the body did not arrive in time
    ├── WrongMediaType      415  a body that is not JSON
    ├── HostNotAllowed      421  a Host header that names another server
    └── NodeFailed          500  a defect of the node
"""

from __future__ import annotations

import orjson
from aiohttp import web

from pico_engine.errors import BadRequest, Busy, EngineError, LimitExceeded
from pico_engine.values import Json

PROBLEM_TYPE = "application/problem+json"
PROBLEM_URN = "urn:picomesh:problem:"
RETRY_AFTER_S = 1
"""What `busy` tells clients: a queue of a pico drains thousands of messages per second."""


class HttpProblem(EngineError):
    """The request was refused at the door."""

    code = "refused"
    status = 400


class NotAuthorised(HttpProblem):
    """The owner's token or a session is needed."""

    code = "unauthorized"
    status = 401
    default_hint = (
        "send `Authorization: Bearer <token>` with the text of the file `token` in the node's home, "
        "or log in with the link that `picomesh login` prints"
    )


class ForeignOrigin(HttpProblem):
    """Another web site's page made the request."""

    code = "foreign-origin"
    status = 403
    default_hint = "call the node from its own pages, or from a program instead of a web page"


class LoginCodeInvalid(HttpProblem):
    """The login code was used already, is too old, or never existed."""

    code = "login-code-invalid"
    status = 403
    default_hint = "`picomesh login` prints a fresh link; each works once"


class NoSuchResource(HttpProblem):
    """Nothing lives at this path."""

    code = "no-such-resource"
    status = 404
    default_hint = "docs/reference/http.md lists every path; GET /api/v1/openapi.json describes the owner's"


class MethodNotAllowed(HttpProblem):
    """This path does not know the method."""

    code = "method-not-allowed"
    status = 405
    default_hint = "the Allow header names the methods; state changes by POST, PUT or DELETE only"


class SlowRequest(HttpProblem):
    """The request's body did not arrive in time."""

    code = "slow-request"
    status = 408
    default_hint = "send the body at once"


class WrongMediaType(HttpProblem):
    """The body is of a kind that is not taken here."""

    code = "wrong-media-type"
    status = 415
    default_hint = "send JSON with `Content-Type: application/json`"


class HostNotAllowed(HttpProblem):
    """The Host header names a server that this is not."""

    code = "host-not-allowed"
    status = 421
    default_hint = "use localhost or 127.0.0.1, or start the node with `--allowed-host NAME`"


class NodeFailed(HttpProblem):
    """The node failed while it served the request; that is a defect of the node."""

    code = "node-failed"
    status = 500
    default_hint = "the node's log has the details; please report them"


def problem_details(error: EngineError) -> dict[str, Json]:
    """The RFC 9457 object for an error, with `code` and `hint` beside its own members."""
    return {
        "type": PROBLEM_URN + error.code,
        "title": (type(error).__doc__ or error.code).split("\n", maxsplit=1)[0],
        "status": error.status,
        "detail": str(error),
        "hint": error.hint,
        "code": error.code,
    }


def problem_headers(error: EngineError) -> dict[str, str]:
    """Headers that go with the status: how to authorise, when to try again."""
    if isinstance(error, NotAuthorised):
        return {"WWW-Authenticate": 'Bearer realm="picomesh"'}
    if isinstance(error, Busy):
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


def problem_response(error: EngineError) -> web.Response:
    """An answer that tells the error."""
    return web.Response(
        status=error.status,
        body=orjson.dumps(problem_details(error)),
        headers={
            "Content-Type": PROBLEM_TYPE,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **problem_headers(error),
        },
    )


def from_http_exception(error: web.HTTPException, path: str) -> EngineError:
    """What the web framework raised, as one of our errors."""
    if isinstance(error, web.HTTPNotFound):
        return NoSuchResource(f"there is nothing at {path}")
    if isinstance(error, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(
            f"{path} does not know the method {error.method}",
            f"use {' or '.join(sorted(error.allowed_methods))}",
        )
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return LimitExceeded("the request's body is larger than body_max_bytes allows")
    return BadRequest(f"the request cannot be served: {error.reason}")
