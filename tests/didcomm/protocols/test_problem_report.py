"""Problem reports: made from our errors, read from others."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.errors import BadMessage, DidcommError, SenderMismatch
from pico_didcomm.message import Message
from pico_didcomm.protocols.problem_report import (
    COMMENT_CHARS_MAX,
    MAX_ERRORS_EXCEEDED,
    PROBLEM_REPORT_TYPE,
    ProblemLimiter,
    ProblemReport,
    make_problem_report,
    parse_problem_report,
    report_of,
)

A, B = "did:example:a", "did:example:b"


def all_errors(base: type[DidcommError] = DidcommError) -> list[type[DidcommError]]:
    return [base, *(found for child in base.__subclasses__() for found in all_errors(child))]


def test_a_report_comes_back() -> None:
    report = ProblemReport(
        "w.m.req.time", "t-1", "late by {1} s, {2}", ("7", "sorry"), "mailto:a@example.org"
    )
    message = make_problem_report("1", report, A, B)
    assert message.pthid == "t-1"
    assert parse_problem_report(message) == report
    assert not report.is_error


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_makes_a_report(kind: type[DidcommError]) -> None:
    report = report_of(kind("x" * 10_000), "t-1")
    assert report.is_error
    assert parse_problem_report(make_problem_report("1", report, A, B)) == report


def test_the_text_has_its_arguments() -> None:
    assert ProblemReport("e.p.msg", "t", "{1} and {2}, {3}", ("a", "b")).text() == "a and b, ?"
    assert ProblemReport("e.p.msg", "t", "{0} {x}", ("a",)).text() == "? {x}, a"
    assert ProblemReport("e.p.msg", "t", "{2}", ("a", None, "c")).text() == "?, a, c"
    assert ProblemReport("e.p.msg", "t").text() == "e.p.msg"
    assert report_of(SenderMismatch(), "t").text() == str(SenderMismatch())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 7},
        {"code": "broken"},
        {"code": "x.p.msg"},
        {"code": "e.p"},
        {"code": "E.P.MSG"},
        {"code": "e.p." + "a" * 300},
        {"code": "e.p.msg", "comment": 7},
        {"code": "e.p.msg", "comment": "x" * (COMMENT_CHARS_MAX + 1)},
        {"code": "e.p.msg", "args": "x"},
        {"code": "e.p.msg", "args": [7]},
        {"code": "e.p.msg", "args": ["x"] * 33},
        {"code": "e.p.msg", "escalate_to": []},
    ],
)
def test_broken_reports_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        parse_problem_report(Message("1", PROBLEM_REPORT_TYPE, body, pthid="t"))


def test_a_report_names_its_thread_and_type() -> None:
    with pytest.raises(BadMessage):
        parse_problem_report(Message("1", PROBLEM_REPORT_TYPE, {"code": "e.p.msg"}))
    with pytest.raises(BadMessage):
        parse_problem_report(Message("1", "https://example.org/a/1.0/b", {"code": "e.p.msg"}, pthid="t"))
    with pytest.raises(BadMessage):
        make_problem_report("1", ProblemReport("nonsense", "t"), A, B)


def test_a_code_taken_apart() -> None:
    report = ProblemReport("w.get-pay-details.payment-failed.card", "t")
    assert (report.is_error, report.scope) == (False, "get-pay-details")
    assert report.descriptors == ("payment-failed", "card")
    raw = {"code": "e.p.me.res.storage.message_too_big"}  # a code of the specification's own
    assert parse_problem_report(Message("1", PROBLEM_REPORT_TYPE, raw, pthid="t")).is_error


def test_what_caused_a_report_is_acknowledged_by_it() -> None:
    assert make_problem_report("1", ProblemReport("e.p.msg", "t"), A, B, ack="m").ack == ("m",)


@pytest.mark.parametrize(
    ("warning", "answer", "allowed"),
    [
        ("w.p.msg", "e.p.msg", True),
        ("w.p.msg", "e.m.msg", False),
        ("w.p.msg", "e.paying.msg", False),
        ("w.paying.msg", "e.p.msg", True),
        ("w.paying.msg", "e.m.msg", False),
        ("w.m.msg", "e.m.msg.lost", True),
        ("w.m.msg", "e.paying.msg", True),
        ("w.m.msg", "w.m.msg", False),
        ("e.m.msg", "e.m.msg", False),
        ("w.m.msg", "nonsense", False),
    ],
)
def test_a_warning_becomes_an_error_of_at_least_its_scope(warning: str, answer: str, allowed: bool) -> None:
    report = ProblemReport(warning, "t", "comment")
    if allowed:
        assert report.escalated(answer) == ProblemReport(answer, "t", "comment")
    else:
        with pytest.raises(BadMessage):
            report.escalated(answer)


def test_a_warning_becomes_the_same_error() -> None:
    assert ProblemReport("w.p.msg", "t").escalated().code == "e.p.msg"


ERROR, WARNING = ProblemReport("e.p.me", "t"), ProblemReport("w.p.me", "t")


def test_errors_of_a_thread_come_to_an_end() -> None:
    limiter = ProblemLimiter(errors_max=2)
    assert limiter.to_send(ERROR) == ERROR
    assert limiter.received(ERROR) is None
    assert not limiter.is_closed("t")
    last = limiter.to_send(ERROR)
    assert last is not None
    assert (last.code, last.pthid) == (MAX_ERRORS_EXCEEDED, "t")
    assert limiter.is_closed("t")
    assert limiter.to_send(ERROR) is None
    assert limiter.received(ERROR) is None
    other = ProblemReport("e.p.me", "u")
    assert limiter.to_send(other) == other


def test_the_error_that_is_too_many_is_answered() -> None:
    limiter = ProblemLimiter(errors_max=1)
    assert limiter.received(ERROR) is None
    last = limiter.received(ERROR)
    assert last is not None
    assert last.code == MAX_ERRORS_EXCEEDED
    assert limiter.received(ERROR) is None


def test_warnings_do_not_count() -> None:
    limiter = ProblemLimiter(errors_max=1)
    for _ in range(5):
        assert limiter.to_send(WARNING) == WARNING
        assert limiter.received(WARNING) is None


def test_their_last_word_is_the_last() -> None:
    limiter = ProblemLimiter()
    assert limiter.received(ProblemReport(MAX_ERRORS_EXCEEDED, "t")) is None
    assert limiter.is_closed("t")


def test_the_limiter_forgets_old_threads() -> None:
    limiter = ProblemLimiter(errors_max=1, threads_max=2)
    for thread in "abc":
        limiter.to_send(ProblemReport("e.p.me", thread))
        limiter.to_send(ProblemReport("e.p.me", thread))
    assert [limiter.is_closed(thread) for thread in "abc"] == [False, True, True]
