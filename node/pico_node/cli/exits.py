"""The exit codes: a contract with scripts, told in docs/reference/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NODE_NOT_RUNNING = 3
    REFUSED = 4
    NOT_FOUND = 5
    LIMIT = 6
    NODE_ERROR = 7
    TIMEOUT = 8
    TRY_LATER = 9
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILED: "the command itself failed, for instance because a file cannot be written, or what it checks"
    " is wrong",
    Exit.USAGE: "wrong words, options or settings, or a request that the node does not understand",
    Exit.NODE_NOT_RUNNING: "no node runs in this home",
    Exit.REFUSED: "not allowed: by a channel's policy, or for lack of the owner's token",
    Exit.NOT_FOUND: "no such pico, channel, ruleset, query or connection",
    Exit.LIMIT: "a named limit was exceeded, or the disk is full",
    Exit.NODE_ERROR: "the node or a ruleset failed",
    Exit.TIMEOUT: "no answer in time; whether the command was done is unknown",
    Exit.TRY_LATER: "the node is busy or lacks something for the moment",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}

_BY_CODE = {
    "store-full": Exit.LIMIT,
    "wait-timeout": Exit.TIMEOUT,
    "slow-request": Exit.TIMEOUT,
    "busy": Exit.TRY_LATER,
    "too-many-connections": Exit.TRY_LATER,
}
_BY_STATUS = {
    400: Exit.USAGE,
    401: Exit.REFUSED,
    403: Exit.REFUSED,
    404: Exit.NOT_FOUND,
    405: Exit.USAGE,
    408: Exit.TIMEOUT,
    409: Exit.REFUSED,
    413: Exit.LIMIT,
    415: Exit.USAGE,
    421: Exit.REFUSED,
    429: Exit.TRY_LATER,
    503: Exit.TRY_LATER,
}


def exit_for_problem(code: str, status: int) -> Exit:
    """The exit code for a problem that the node answered; by its code, else by its HTTP status."""
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or Exit.NODE_ERROR
