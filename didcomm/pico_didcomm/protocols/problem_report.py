"""Problem reports 2.0: tells the other side what went wrong, in a code that software can act on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pico_didcomm.errors import BadMessage, DidcommError
from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import check_type, optional_text, text, texts

PROBLEM_REPORT_TYPE: Final = "https://didcomm.org/report-problem/2.0/problem-report"

CODE_CHARS_MAX: Final = 256
COMMENT_CHARS_MAX: Final = 4096
ARGUMENTS_MAX: Final = 32
"""What a report may hold is shown to people and written to logs: a stranger must not fill them."""

# sorter (error, warning), scope (protocol, message, or a state's name), descriptors
_CODE: Final = re.compile(r"[ew]\.[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_ARGUMENT: Final = re.compile(r"\{(\d{1,3})\}")


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """A problem. `pthid` is the thread in which it happened."""

    code: str
    pthid: str
    comment: str | None = None
    args: tuple[str, ...] = ()
    escalate_to: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the thread (scope `p`) or message (scope `m`) failed; a warning lets it go on."""
        return self.code.startswith("e.")

    def text(self) -> str:
        """The comment with its arguments put in; an argument that is missing is shown as `?`."""

        def argument(match: re.Match[str]) -> str:
            number = int(match[1])
            return self.args[number - 1] if 0 < number <= len(self.args) else "?"

        return _ARGUMENT.sub(argument, self.comment) if self.comment else self.code


def report_of(error: DidcommError, pthid: str) -> ProblemReport:
    """The report that answers the message that `error` was about."""
    return ProblemReport(error.problem_code, pthid, comment=error.what[:COMMENT_CHARS_MAX])


def make_problem_report(message_id: str, report: ProblemReport, from_did: str, to_did: str) -> Message:
    """The message that carries a report."""
    _check_code(report.code)
    body: dict[str, object] = {"code": report.code}
    if report.comment is not None:
        body["comment"] = report.comment
    if report.args:
        body["args"] = list(report.args)
    if report.escalate_to is not None:
        body["escalate_to"] = report.escalate_to
    return Message(message_id, PROBLEM_REPORT_TYPE, body, from_=from_did, to=(to_did,), pthid=report.pthid)


def parse_problem_report(message: Message) -> ProblemReport:
    """Reads a report."""
    check_type(message, PROBLEM_REPORT_TYPE)
    if message.pthid is None:
        raise BadMessage("a problem report that does not say which thread it is about")
    body = message.body
    args = texts(body, "args", ARGUMENTS_MAX, COMMENT_CHARS_MAX) if "args" in body else ()
    return ProblemReport(
        _check_code(text(body, "code", CODE_CHARS_MAX)),
        message.pthid,
        optional_text(body, "comment", COMMENT_CHARS_MAX),
        args,
        optional_text(body, "escalate_to", COMMENT_CHARS_MAX),
    )


def _check_code(code: str) -> str:
    if _CODE.fullmatch(code) is None:
        raise BadMessage("not a problem code: " + ascii(code[:64]))
    return code
