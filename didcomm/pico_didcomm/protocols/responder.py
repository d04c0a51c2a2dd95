"""What every agent answers without being taught: pings, questions, acknowledgements, problems.

The machine takes messages that proved their sender and gives replies, and what there is to tell whoever the
connection belongs to. It keeps no state but the count of problems by thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pico_didcomm.errors import DidcommError, SenderMismatch, UnsupportedMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols import (
    basic_message,
    coordinate_mediation,
    discover_features,
    empty,
    out_of_band,
    pickup,
    problem_report,
    routing,
    trust_ping,
    user_profile,
)
from pico_didcomm.protocols.basic_message import BASIC_MESSAGE_TYPE, BasicMessage, parse_basic_message
from pico_didcomm.protocols.discover_features import (
    DISCLOSE_TYPE,
    QUERIES_TYPE,
    Feature,
    disclosed,
    make_disclose,
    parse_disclose,
    parse_queries,
)
from pico_didcomm.protocols.empty import EMPTY_TYPE, is_pure_ack, make_ack, wants_ack
from pico_didcomm.protocols.problem_report import (
    PROBLEM_REPORT_TYPE,
    ProblemLimiter,
    ProblemReport,
    make_problem_report,
    parse_problem_report,
    report_of,
)
from pico_didcomm.protocols.trust_ping import (
    PING_RESPONSE_TYPES,
    PING_TYPES,
    make_ping_response,
    wants_response,
)
from pico_didcomm.protocols.user_profile import (
    PROFILE_TYPE,
    REQUEST_PROFILE_TYPE,
    Profile,
    make_profile,
    parse_profile,
    parse_request_profile,
)
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, Unpacked

PROTOCOLS: Final = tuple(
    table
    for module in (
        *(trust_ping, discover_features, basic_message, user_profile, problem_report, empty),
        *(out_of_band, routing, coordinate_mediation, pickup),
    )
    for table in module.TABLES
)
"""The tables of all standard protocols of this package."""


def features_of(protocols: Mapping[str, Sequence[str]]) -> tuple[Feature, ...]:
    """What an agent tells of itself: protocols with the roles it plays, headers, the size it takes."""
    return (
        *(Feature("protocol", uri, tuple(roles)) for uri, roles in protocols.items()),
        *(Feature("header", name) for name in ("return_route", "please_ack", "lang")),
        Feature("constraint", "max_receive_bytes", extra={"max_receive_bytes": str(ENVELOPE_BYTES_MAX)}),
    )


BASIC_FEATURES: Final = features_of(
    {
        trust_ping.PROTOCOL: ("sender", "receiver"),
        discover_features.PROTOCOL: ("requester", "responder"),
        basic_message.PROTOCOL: ("sender", "receiver"),
        problem_report.PROTOCOL: (),
        empty.PROTOCOL: (),
        out_of_band.PROTOCOL: ("sender", "receiver"),
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to be encrypted for its `to`; `answers` is the one it answers."""

    message: Message
    answers: Message


Content = BasicMessage | Profile | ProblemReport | tuple[Feature, ...] | None


@dataclass(frozen=True, slots=True)
class Received:
    """Something for whoever the connection belongs to."""

    content: Content
    unpacked: Unpacked


Effect = Reply | Received


@dataclass(slots=True)
class Responder:
    """Answers in the name of our side of any connection.

    `receive` takes a message that proved its sender, for the DID `mine`; `next_effect` gives what follows, in
    order. What cannot be read is answered with a problem report. `profile` is what we tell of ourselves. It
    has no timers, and what it does depends on no clock.
    """

    new_id: Callable[[], str]
    features: Sequence[Feature] = BASIC_FEATURES
    profile: Mapping[str, str] | None = None
    problems: ProblemLimiter = field(default_factory=ProblemLimiter)
    _effects: deque[Effect] = field(default_factory=deque)

    def understands(self, type_uri: str) -> bool:
        """Whether messages of this type are answered or handed on; others are reported as unsupported."""
        return type_uri in _HANDLERS

    def receive(self, unpacked: Unpacked, mine: str) -> None:
        """Take a message. A SenderMismatch when nobody is proven to have sent it; else nothing raises."""
        message = unpacked.message
        if unpacked.sender is None:
            raise SenderMismatch("a message that does not prove its sender gets no answer")
        if self.problems.is_closed(message.thid or message.id):
            return
        asked = _Asked(self, unpacked, message, mine, unpacked.sender)
        effects: list[Effect] = []
        try:
            handler = _HANDLERS.get(message.type)
            if handler is None:
                raise UnsupportedMessage(f"{message.type[:256]} is not understood here")
            effects += handler(asked)
        except DidcommError as error:
            effects += asked.problem(error)
        self._effects += _acknowledged(asked, effects) if wants_ack(message) else effects

    def report(self, unpacked: Unpacked, mine: str, error: DidcommError) -> None:
        """Answer a message with a problem that was found elsewhere, unless its thread has had too many."""
        if unpacked.sender is not None:
            self._effects += _Asked(self, unpacked, unpacked.message, mine, unpacked.sender).problem(error)

    def next_effect(self) -> Effect | None:
        """What is to be done next."""
        return self._effects.popleft() if self._effects else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that is being answered."""

    responder: Responder
    unpacked: Unpacked
    message: Message
    mine: str
    theirs: str

    @property
    def thread(self) -> str:
        return self.message.thid or self.message.id

    def reply(self, message: Message) -> Reply:
        return Reply(message, self.message)

    def received(self, content: Content) -> Received:
        return Received(content, self.unpacked)

    def new_id(self) -> str:
        return self.responder.new_id()

    def problem(self, error: DidcommError) -> list[Effect]:
        report = self.responder.problems.to_send(report_of(error, self.thread))
        return [] if report is None else [self._report(report)]

    def _report(self, report: ProblemReport) -> Reply:
        ack = self.message.id
        return self.reply(make_problem_report(self.new_id(), report, self.mine, self.theirs, ack=ack))

    def last_word(self, report: ProblemReport) -> list[Effect]:
        answer = self.responder.problems.received(report)
        return [] if answer is None else [self._report(answer)]


def _acknowledged(asked: _Asked, effects: list[Effect]) -> list[Effect]:
    """The acknowledgement goes with the answer that there is, or in a message of its own."""
    for i, effect in enumerate(effects):
        if isinstance(effect, Reply):
            effects[i] = replace(effect, message=replace(effect.message, ack=(asked.message.id,)))
            return effects
    return [*effects, asked.reply(make_ack(asked.new_id(), asked.mine, asked.theirs, asked.message))]


# -- one function for each type of message ----------------------------------------------------------------


def _ping(asked: _Asked) -> list[Effect]:
    if not wants_response(asked.message):
        return []
    return [asked.reply(make_ping_response(asked.new_id(), asked.message, asked.mine, asked.theirs))]


def _queries(asked: _Asked) -> list[Effect]:
    found = disclosed(asked.responder.features, parse_queries(asked.message))
    return [asked.reply(make_disclose(asked.new_id(), asked.mine, asked.theirs, found, asked.thread))]


def _disclose(asked: _Asked) -> list[Effect]:
    return [asked.received(parse_disclose(asked.message))]


def _basic(asked: _Asked) -> list[Effect]:
    return [asked.received(parse_basic_message(asked.message))]


def _profile(asked: _Asked) -> list[Effect]:
    profile = parse_profile(asked.message)
    back = _told_profile(asked, user_profile.FIELDS) if profile.send_back_yours else []
    return [asked.received(profile), *back]


def _request_profile(asked: _Asked) -> list[Effect]:
    return _told_profile(asked, parse_request_profile(asked.message))


def _told_profile(asked: _Asked, names: Sequence[str]) -> list[Effect]:
    ours = asked.responder.profile
    if ours is None:
        return []  # whoever is asked may decline, by silence
    profile = Profile({name: ours[name] for name in names if name in ours})
    message = make_profile(asked.new_id(), asked.mine, asked.theirs, profile, pthid=asked.message.id)
    return [asked.reply(message)]


def _problem(asked: _Asked) -> list[Effect]:
    report = parse_problem_report(asked.message)
    return [asked.received(report), *asked.last_word(report)]


def _empty(asked: _Asked) -> list[Effect]:
    return [] if is_pure_ack(asked.message) else [asked.received(None)]


def _nothing(_: _Asked) -> list[Effect]:
    """An answer that nobody waits for any more."""
    return []


_HANDLERS: Final[Mapping[str, Callable[[_Asked], list[Effect]]]] = {
    **dict.fromkeys(PING_TYPES, _ping),
    **dict.fromkeys(PING_RESPONSE_TYPES, _nothing),
    QUERIES_TYPE: _queries,
    DISCLOSE_TYPE: _disclose,
    BASIC_MESSAGE_TYPE: _basic,
    PROFILE_TYPE: _profile,
    REQUEST_PROFILE_TYPE: _request_profile,
    PROBLEM_REPORT_TYPE: _problem,
    EMPTY_TYPE: _empty,
}
