"""Problem reports: made from our errors, read from others."""

from __future__ import annotations

from typing import Any

import pytest

from pico_didcomm.errors import BadMessage, DidcommError, SenderMismatch
from pico_didcomm.message import Message
from pico_didcomm.protocols.problem_report import (
    COMMENT_CHARS_MAX,
    PROBLEM_REPORT_TYPE,
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
    assert ProblemReport("e.p.msg", "t", "{0} {x}", ("a",)).text() == "? {x}"
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
