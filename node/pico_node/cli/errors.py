"""What can go wrong at the command line, and the exit code that scripts can rely on.

CliError                the command could not be done
├── UsageError      2   wrong words, options or settings
├── NotRunning      3   no node runs in this home
├── NodeSaidNo      *   the node refused or failed; the exit code follows the problem's code
└── NoAnswer        8   the node did not answer in time
"""

from __future__ import annotations

from pico_node.cli.exits import Exit, exit_for_problem


class CliError(Exception):
    """The command could not be done."""

    code = "failed"
    exit: Exit = Exit.FAILED

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


class UsageError(CliError):
    """Wrong words, options or settings."""

    code = "usage"
    exit = Exit.USAGE


class NotRunning(CliError):
    """No node runs in this home."""

    code = "node-not-running"
    exit = Exit.NODE_NOT_RUNNING


class NoAnswer(CliError):
    """The node did not answer in time."""

    code = "no-answer"
    exit = Exit.TIMEOUT


class NodeSaidNo(CliError):
    """The node refused or failed."""

    def __init__(self, what: str, hint: str, code: str, status: int) -> None:
        super().__init__(what, hint)
        self.code = code
        self.exit = exit_for_problem(code, status)
