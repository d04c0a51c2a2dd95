"""Problem reports 2.0: tells the other side what went wrong, in a code that software can act on."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from pico_didcomm.errors import BadMessage, DidcommError
from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import check_type, optional_text, text
from pico_didcomm.protocols.tables import Table

PROTOCOL: Final = "https://didcomm.org/report-problem/2.0"
PROBLEM_REPORT_TYPE: Final = f"{PROTOCOL}/problem-report"
MAX_ERRORS_EXCEEDED: Final = "e.p.req.max-errors-exceeded"

CODE_CHARS_MAX: Final = 256
COMMENT_CHARS_MAX: Final = 4096
ARGUMENTS_MAX: Final = 32
"""What a report may hold is shown to people and written to logs: a stranger must not fill them."""

ERRORS_PER_THREAD_MAX: Final = 8
"""Errors in one thread, told and heard, before it is given up (DIDComm v2.1, "Cascading Problems")."""

THREADS_COUNTED_MAX: Final = 4_096
"""Threads whose errors are counted; the one that had none for longest is forgotten first."""

# Sorter (error, warning), scope (protocol, message, or a state's name), descriptors. The specification wants
# kebab-case and has an underscore in a code of its own (me.res.storage.message_too_big).
_CODE: Final = re.compile(r"[ew]\.[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_ARGUMENT: Final = re.compile(r"\{(\d{1,3})\}")


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """A problem. `pthid` is the thread in which it happened."""

    code: str
    pthid: str
    comment: str | None = None
    args: tuple[str | None, ...] = ()
    escalate_to: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the thread (scope `p`) or message (scope `m`) failed; a warning lets it go on."""
        return self.code.startswith("e.")

    @property
    def scope(self) -> str:
        """What is undone: `p` the thread, `m` the message, else the state that its sender falls back to."""
        return self.code.split(".")[1]

    @property
    def descriptors(self) -> tuple[str, ...]:
        """What went wrong, from general to particular; a reader may know only the first ones."""
        return tuple(self.code.split(".")[2:])

    def text(self) -> str:
        """The comment with its arguments put in: one that is missing is shown as `?`, the rest at the end."""

        def argument(match: re.Match[str]) -> str:
            number = int(match[1])
            used.add(number)
            return (self.args[number - 1] if 0 < number <= len(self.args) else None) or "?"

        used: set[int] = set()
        filled = _ARGUMENT.sub(argument, self.comment) if self.comment else self.code
        rest = [one or "?" for number, one in enumerate(self.args, 1) if number not in used]
        return ", ".join((filled, *rest))

    def escalated(self, code: str | None = None) -> ProblemReport:
        """The answer to a warning that is an error to us: of at least its scope, in the same thread."""
        if self.is_error:
            raise BadMessage("an error cannot become an error once more")
        answer = replace(self, code=code or "e" + self.code[1:])
        _check_code(answer.code)
        if not answer.is_error or _breadth(answer.scope) < _breadth(self.scope):
            raise BadMessage("the answer to a warning is an error of at least the warning's scope")
        return answer


def report_of(error: DidcommError, pthid: str) -> ProblemReport:
    """The report that answers the message that `error` was about."""
    return ProblemReport(error.problem_code, pthid, comment=error.what[:COMMENT_CHARS_MAX])


def make_problem_report(
    message_id: str, report: ProblemReport, from_did: str, to_did: str, *, ack: str | None = None
) -> Message:
    """The message that carries a report; `ack` is the id of the message that caused it."""
    _check_code(report.code)
    body: dict[str, object] = {"code": report.code}
    if report.comment is not None:
        body["comment"] = report.comment
    if report.args:
        body["args"] = list(report.args)
    if report.escalate_to is not None:
        body["escalate_to"] = report.escalate_to
    return Message(
        message_id,
        PROBLEM_REPORT_TYPE,
        body,
        from_=from_did,
        to=(to_did,),
        pthid=report.pthid,
        ack=None if ack is None else (ack,),
    )


def parse_problem_report(message: Message) -> ProblemReport:
    """Reads a report."""
    check_type(message, PROBLEM_REPORT_TYPE)
    if message.pthid is None:
        raise BadMessage("a problem report that does not say which thread it is about")
    body = message.body
    args = _arguments(body.get("args"))
    return ProblemReport(
        _check_code(text(body, "code", CODE_CHARS_MAX)),
        message.pthid,
        optional_text(body, "comment", COMMENT_CHARS_MAX),
        args,
        optional_text(body, "escalate_to", COMMENT_CHARS_MAX),
    )


TABLES: Final[tuple[Table, ...]] = (
    Table(
        PROTOCOL,
        "thread",
        "open",
        {
            "open": {"send problem-report": "open", "receive problem-report": "open", "too many": "closing"},
            "closing": {"send problem-report": "closed"},
            "closed": {"receive problem-report": "closed", "too many": "closed"},
        },
    ),
)


class ProblemLimiter:
    """Keeps problem reports about problem reports from going on for ever.

    Errors, told and heard, are counted by thread. The one that is too many is replaced by, or answered with,
    `e.p.req.max-errors-exceeded`; after that the thread gets no answer any more.
    """

    def __init__(
        self, *, errors_max: int = ERRORS_PER_THREAD_MAX, threads_max: int = THREADS_COUNTED_MAX
    ) -> None:
        self._errors: OrderedDict[str, int] = OrderedDict()
        self._errors_max = errors_max
        self._threads_max = threads_max

    def to_send(self, report: ProblemReport) -> ProblemReport | None:
        """What to send in place of `report`: itself, the last word on its thread, or nothing."""
        return report if not report.is_error else self._counted(report.pthid, report)

    def received(self, report: ProblemReport) -> ProblemReport | None:
        """What to answer to a report that came: nothing, or the last word on its thread."""
        if not report.is_error:
            return None
        if report.code == MAX_ERRORS_EXCEEDED:
            self._count(report.pthid, self._errors_max + 1)  # they will not listen any more
            return None
        return self._counted(report.pthid, None)

    def is_closed(self, thread: str) -> bool:
        """Whether messages in `thread` must not be answered any more."""
        return self._errors.get(thread, 0) > self._errors_max

    def _counted(self, thread: str, below: ProblemReport | None) -> ProblemReport | None:
        count = self._count(thread, self._errors.get(thread, 0) + 1)
        if count <= self._errors_max:
            return below
        return ProblemReport(MAX_ERRORS_EXCEEDED, thread) if count == self._errors_max + 1 else None

    def _count(self, thread: str, count: int) -> int:
        self._errors[thread] = count
        self._errors.move_to_end(thread)
        if len(self._errors) > self._threads_max:
            self._errors.popitem(last=False)
        return count


def _breadth(scope: str) -> int:
    """A message is less than a state, a state less than the protocol."""
    return {"m": 0, "p": 2}.get(scope, 1)


def _arguments(value: object) -> tuple[str | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > ARGUMENTS_MAX:
        raise BadMessage(f"args is not a list of at most {ARGUMENTS_MAX}")
    if not all(one is None or (isinstance(one, str) and len(one) <= COMMENT_CHARS_MAX) for one in value):
        raise BadMessage(f"args holds something else than texts of at most {COMMENT_CHARS_MAX} characters")
    return tuple(value)


def _check_code(code: str) -> str:
    if _CODE.fullmatch(code) is None:
        raise BadMessage("not a problem code: " + ascii(code[:64]))
    return code
