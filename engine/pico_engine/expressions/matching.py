"""One event against the letters of one machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pico_engine.expressions.aggregates import aggregate_value
from pico_engine.expressions.ast import Event
from pico_engine.expressions.compile import Letter, Row

WHERE: Final = "where"
ATTRIBUTE: Final = "attribute:"
"""Followed by the name of the attribute that did not fit."""


class Matcher:
    """A letter, laid out for speed. `first_window` is the number of its first aggregate's window."""

    __slots__ = ("_tests", "_where", "aggregates", "names", "window")

    def __init__(self, letter: Letter, first_window: int) -> None:
        simple = letter.simple
        self._tests = tuple(
            (pattern.name, pattern.test.match, ATTRIBUTE + pattern.name) for pattern in simple.attributes
        )
        self._where = simple.where
        self.names = simple.settings
        self.window = letter.window
        self.aggregates = tuple(enumerate(letter.aggregates, first_window))

    @property
    def always(self) -> bool:
        """Whether every event of the right domain and type matches."""
        return not self._tests and self._where is None

    @property
    def mismatches(self) -> tuple[str, ...]:
        """The codes that `match` can give."""
        return (*(code for _, _, code in self._tests), WHERE)

    def match(self, event: Event, settings: Mapping[str, Any], ruleset: Any) -> tuple[Any, ...] | str:
        """The captured values, or the code of why it does not match. Domain and type are not looked at."""
        captured: tuple[Any, ...] = ()
        attrs = event.attrs
        for name, test, mismatch in self._tests:
            value = attrs.get(name)
            values = test(value, value is None and name not in attrs)
            if values is None:
                return mismatch
            captured += values
        if self._where is not None:
            seen = {**settings, **dict(zip(self.names, captured, strict=False))}
            if not self._where(event, seen, ruleset):
                return WHERE
        return captured


class Attempt:
    """Which letters the event matches: each is tried at most once, and only when that matters.

    A condition may be about settings that exist only once the machine has come so far, so letters that no
    edge waits for are left alone, unless a `then` asks whether the event matters to the rule at all.
    """

    __slots__ = ("_letters", "_matchers", "_ruleset", "_settings", "_taken", "_tried", "event")

    def __init__(
        self,
        matchers: tuple[Matcher, ...],
        letters: tuple[int, ...],
        event: Event,
        settings: Mapping[str, Any],
        ruleset: Any,
    ) -> None:
        self.event = event
        self._matchers = matchers
        self._letters = letters
        self._settings = settings
        self._ruleset = ruleset
        self._tried: dict[int, tuple[Any, ...] | str] = {}
        self._taken: dict[int, tuple[Any, ...]] = {}

    def move(self, rows: tuple[Row, ...], states: tuple[int, ...]) -> tuple[int, ...]:
        """The states that the event leads to from `states`, each once, in the order they are reached."""
        hits: dict[int, None] = {}
        for state in states:
            row = rows[state]
            for letter in self._letters:
                targets = row.on.get(letter)
                if targets is None:
                    continue
                captured = self._try(letter)
                if isinstance(captured, tuple):
                    self._taken[letter] = captured
                    for target in targets:
                        hits[target] = None
            for unless, target in row.otherwise:
                if self.is_salient() and not self._matches_any(unless):
                    hits[target] = None
        return tuple(hits)

    def is_salient(self) -> bool:
        """Whether the event matches any letter at all. If not, it must leave no trace in the machine."""
        return self._matches_any(self._letters)

    def mismatch(self) -> str | None:
        """The code of the first letter that was tried in vain."""
        return next((tried for tried in self._tried.values() if isinstance(tried, str)), None)

    def settings(self) -> dict[str, Any]:
        """The earlier settings with what the event captured on the edges it took."""
        settings = {**self._settings}
        for letter, captured in self._taken.items():
            if captured:
                settings.update(zip(self._matchers[letter].names, captured, strict=False))
        return settings

    def slide(
        self, windows: Mapping[int, tuple[Any, ...]], settings: dict[str, Any]
    ) -> Mapping[int, tuple[Any, ...]]:
        """Push what was captured onto the windows of the aggregates, and set their settings."""
        slid = windows
        for letter, captured in self._taken.items():
            matcher = self._matchers[letter]
            for index, aggregate in matcher.aggregates:
                values = (*windows.get(index, ()), captured[aggregate.capture])[-matcher.window :]
                slid = {**slid, index: values}
                settings[aggregate.setting] = aggregate_value(aggregate.function, values)
        return slid

    def _matches_any(self, letters: tuple[int, ...]) -> bool:
        return any(letter in self._letters and isinstance(self._try(letter), tuple) for letter in letters)

    def _try(self, letter: int) -> tuple[Any, ...] | str:
        tried = self._tried.get(letter)
        if tried is None:
            tried = self._matchers[letter].match(self.event, self._settings, self._ruleset)
            self._tried[letter] = tried
        return tried
