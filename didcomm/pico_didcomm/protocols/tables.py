"""State machines as tables: what may happen in each state of a role, and how the documentation shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pico_didcomm.errors import UnexpectedMessage


@dataclass(frozen=True, slots=True)
class Table:
    """The machine of one role in one protocol: state -> what happens -> next state.

    What has no row is an UnexpectedMessage. A happening that leaves the state as it is has a row of its own:
    messages arrive more than once, and a repeated one must do no harm.
    """

    protocol: str
    role: str
    initial: str
    rows: Mapping[str, Mapping[str, str]]

    @property
    def happenings(self) -> tuple[str, ...]:
        """Everything that has a row in some state, in order of appearance."""
        return tuple(dict.fromkeys(name for row in self.rows.values() for name in row))

    def after(self, state: str, happening: str) -> str:
        """The state after `happening`; UnexpectedMessage when the table has no row for it."""
        following = self.rows[state].get(happening)
        if following is None:
            raise UnexpectedMessage(f"'{happening}' while the {self.role} is {state} ({self.protocol})")
        return following

    def markdown(self) -> str:
        """The table in Markdown."""
        happenings = self.happenings
        lines = [f"| {self.role} | " + " | ".join(happenings) + " |", "|---" * (len(happenings) + 1) + "|"]
        for state, row in self.rows.items():
            cells = (row.get(name, "unexpected") for name in happenings)
            lines.append(f"| **{state}** | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def mermaid(self) -> str:
        """The diagram: arrows between different states only."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for state, row in self.rows.items():
            lines += [f"    {state} --> {to}: {name}" for name, to in row.items() if to != state]
        return "\n".join(lines)


def requester_table(protocol: str, role: str, request: str, answers: Sequence[str]) -> Table:
    """One request that waits for its answer: every two-step exchange, seen by who asks."""
    settled = {f"receive {answer}": "answered" for answer in answers}
    repeated = dict.fromkeys(settled, "answered")
    return Table(
        protocol,
        role,
        "start",
        {
            "start": {f"send {request}": "waiting"},
            "waiting": {
                f"send {request}": "waiting",
                **settled,
                "receive problem-report": "failed",
                "time out": "failed",
            },
            "answered": repeated,
            "failed": dict.fromkeys((*settled, "receive problem-report"), "failed"),
        },
    )


def responder_table(protocol: str, role: str, request: str, answers: Sequence[str]) -> Table:
    """Who answers keeps nothing: each request is answered, a repeated one again."""
    return Table(
        protocol,
        role,
        "ready",
        {
            "ready": {f"receive {request}": "asked"},
            "asked": {
                **{f"send {answer}": "ready" for answer in answers},
                "send problem-report": "ready",
            },
        },
    )


def one_way_tables(protocol: str, sender: str, receiver: str, message: str) -> tuple[Table, Table]:
    """A single message that wants no answer."""
    return (
        Table(protocol, sender, "ready", {"ready": {f"send {message}": "ready"}}),
        Table(protocol, receiver, "ready", {"ready": {f"receive {message}": "ready"}}),
    )
