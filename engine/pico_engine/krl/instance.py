"""A KRL ruleset in one pico: what its compiled code runs with, and the ways into it.

An instance is what compiled code calls `run`. It is made when the pico first needs the ruleset, and evaluates
its global block then; a ruleset that another one uses as a module has an instance of its own for each use,
with that use's configuration. All instances of a pico share one meter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pico_engine.errors import EngineError
from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError, type_error
from pico_engine.krl.meter import CODE_BYTES_PER_STEP, Meter
from pico_engine.krl.values import UNDEFINED, Action, Function, Invocable, arrange, to_json, to_string
from pico_engine.messages import INSIDE_DOORS, QueryMessage
from pico_engine.values import EMPTY_MAP, Json, encode, printable

if TYPE_CHECKING:
    from types import CodeType

    from pico_engine.events import Event
    from pico_engine.krl.program import Program
    from pico_engine.krl.values import Value
    from pico_engine.pico import Pico
    from pico_engine.turn import Turn


class Instance:
    """Implements `pico_engine.krl.values.Run`; the helpers of the runtime use the rest."""

    __slots__ = (
        "_conditions",
        "_keys",
        "_limits",
        "_rules",
        "config",
        "event",
        "given",
        "host",
        "limits",
        "meter",
        "modules",
        "pico",
        "program",
        "provides",
        "queries",
        "query",
        "rid",
        "rows",
        "rule",
        "uses",
        "variables",
    )

    def __init__(
        self,
        program: Program,
        pico: Pico,
        config: Mapping[str, Json],
        given: Mapping[str, Value] = EMPTY_MAP,
        host: Instance | None = None,
    ) -> None:
        """`given`: the values of `use module … with`; `host`: the instance that uses this one."""
        self.program = program
        self.pico = pico
        self.rid = program.blueprint.rid
        self.config = config
        self.given = given
        self.host = host
        self.limits = pico.engine.limits.krl
        self.meter = meter_of(pico)
        self.modules = 0
        self.variables = pico.variables_of(self.rid)
        self.rows = self.variables.rows
        self._keys: dict[str, str] = {}
        self.uses: dict[str, Any] = {}
        self.event: Event | None = None
        self.query: QueryMessage | None = None
        self.rule: str | None = None
        if pico.turn is not None:
            self.meter.begin(pico.turn)
        before = self.meter.memory
        made = self._guarded(program.create, self)
        most = self.limits.global_max_bytes
        if before - self.meter.memory > most:
            raise KrlLimitExceeded(
                f"the global block of {self.rid} made values of more than {most:,} bytes (global_max_bytes)",
                "make large values in functions; keep data in ent: variables",
            )
        self._rules, self._conditions, self._limits, self.queries, self.provides = made

    # -- the ways in --------------------------------------------------------------------------------------

    def run_rule(self, number: int, name: str, event: Event, settings: Mapping[str, Json]) -> None:
        """Run one rule for an event. Raises EngineError."""
        turn = self.turn()
        if not turn.metered:
            self.meter.begin(turn)
        self.event, self.rule = event, name
        try:
            run = self._rules[number]
            self.meter.step(1 + len(run.__code__.co_code) // CODE_BYTES_PER_STEP)
            run(settings)
        except Exception as error:
            raise self.located(error) from error
        finally:
            self.event = self.rule = None

    def condition(self, number: int, event: Event, settings: Mapping[str, Json]) -> bool:
        """A condition of an event expression."""
        self.meter.begin(self.turn())
        self.event = event
        try:
            condition = self._conditions[number]
            self.meter.step(1 + len(condition.__code__.co_code) // CODE_BYTES_PER_STEP)
            holds: bool = self._guarded(condition, settings)
            return holds
        finally:
            self.event = None

    def limit(self, number: int, event: Event) -> int:
        """The milliseconds of a `within` that is worked out."""
        self.meter.begin(self.turn())
        self.event = event
        try:
            milliseconds: int = self._guarded(self._limits[number])
            return milliseconds
        finally:
            self.event = None

    def answer(self, name: str, args: Json) -> Json:
        """What the shared function `name` answers. Raises EngineError."""
        turn = self.turn()
        self.meter.begin(turn)
        message = turn.message
        self.query = message if isinstance(message, QueryMessage) else None
        try:
            value = self._guarded(self._asked, self.queries[name], args)
        finally:
            self.query = None
        most = self.limits.answer_max_bytes
        size = len(encode(value))
        if size > most:
            raise KrlLimitExceeded(
                f"{name} of {self.rid} answers {size:,} bytes; answer_max_bytes is {most:,}",
                "answer a part, and let whoever asks say which",
            )
        return value

    def _asked(self, value: Value, args: Json) -> Json:
        if isinstance(value, Function):
            if isinstance(args, Mapping):
                placed = [args.get(str(number), UNDEFINED) for number in range(len(value.parameters))]
                while placed and placed[-1] is UNDEFINED:
                    placed.pop()
                value = self.call(value, placed, args)
            else:
                value = self.call(value, list(args or ()))
        self.turn().answers_undefined = value is UNDEFINED
        return to_json(value, self)

    def provided(self, name: str, args: Sequence[Json], named: Mapping[str, Json]) -> Json:
        """What a provided function or action answers, or a provided value, to a ruleset that is not in KRL.

        Arguments are frozen. A module sees no event. Raises EngineError.
        """
        self.meter.begin(self.turn())
        return self._guarded(self._provide, self.provides[name], args, named)

    def _provide(self, value: Value, args: Sequence[Json], named: Mapping[str, Json]) -> Json:
        return to_json(self.call(value, args, named) if isinstance(value, Invocable) else value, self)

    def _guarded(self, body: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return body(*arguments)
        except Exception as error:
            raise self.located(error) from error

    def located(self, error: Exception) -> Exception:
        """The error with the place in the KRL text where it happened: `file:line:column: what`."""
        if getattr(error, "is_located", False):
            return error
        place, is_innermost = _place(error, self.program.code)
        if isinstance(error, NameError) and is_innermost:
            name = getattr(error, "name", "") or ""
            plain = name.partition("_")[2] or name
            error = KrlRuntimeError("ReferenceError", f"Cannot access '{plain}' before initialization")
        elif isinstance(error, RecursionError):
            error = self.meter.too_deep()
        elif not isinstance(error, EngineError):
            error = KrlRuntimeError("Error", f"{type(error).__name__}: {error}")
        if isinstance(error, EngineError):
            error.what = f"{place}: {error.what}"
            error.args = (error.what,)
            error.is_located = True  # type: ignore[attr-defined]  # only read above
        return error

    # -- what code and operators ask ----------------------------------------------------------------------

    def turn(self) -> Turn:
        turn = self.pico.turn
        if turn is None:
            raise KrlRuntimeError("Error", "KRL runs inside a turn of its pico only")
        return turn

    def key(self, name: str) -> str:
        """The row of a persistent variable."""
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = f"{self.rid}/{name}"
        return key

    @property
    def now_ms(self) -> int:
        turn = self.pico.turn
        return self.pico.engine.now if turn is None else turn.now

    def step(self, n: int = 1) -> None:
        self.meter.step(n)

    def grow(self, chars: int) -> None:
        self.meter.grow(chars)

    def entropy(self, n: int) -> bytes:
        return self.pico.engine.entropy(n)

    def log(self, level: str, text: str, data: Json) -> None:
        engine = self.pico.engine
        self.meter.step(_STEPS_PER_LOG)
        shown = printable(text, self.pico.engine.limits.log_entry_max_bytes)
        engine.log(self.pico, LOG_LEVELS.get(level, level), self.rid, shown, self.now_ms, data)

    def call(
        self, function: Invocable, args: Sequence[Value], named: Mapping[str, Value] | None = None
    ) -> Value:
        """Calls a function or action of KRL, or a native one."""
        meter = self.meter
        meter.steps -= function.steps
        if meter.steps < 0:
            meter.step(0)
        if meter.depth <= 0:
            raise meter.too_deep()
        parameters = function.parameters
        if named:
            args = arrange(parameters, args, named)
        elif len(args) > len(parameters):
            args = args[: len(parameters)]
        meter.depth -= 1
        try:
            return function.body(self, *args)
        finally:
            meter.depth += 1

    def call_function(self, value: Value, args: Sequence[Value], named: Mapping[str, Value] | None) -> Value:
        """Like `call`, for what must be a function."""
        if not isinstance(value, Function):
            raise type_error(f"{to_string(value)} is not a function")
        return self.call(value, args, named)

    def call_action(self, value: Value, args: Sequence[Value], named: Mapping[str, Value] | None) -> Value:
        if not isinstance(value, Action):
            raise type_error(f"{to_string(value)} is not an action")
        return self.call(value, args, named)

    def count_module(self) -> None:
        """One more module, of this ruleset or of its modules. Raises KrlLimitExceeded."""
        self.modules += 1
        self.meter.step(_STEPS_PER_MODULE)
        most = self.limits.modules_max
        if self.modules > most:
            raise KrlLimitExceeded(
                f"{self.rid} uses more than {most} modules, those of its modules among them (modules_max)",
                "each use makes the module anew: use it in one place",
            )

    @property
    def outermost(self) -> Instance:
        """The instance whose rule or query runs: itself, unless this is a module."""
        one = self
        while one.host is not None:
            one = one.host
        return one

    @property
    def eci(self) -> str | None:
        """The channel that the event or query at hand came in on; the pico's own for one from within.

        What a rule in Python raises has no channel (it is from inside): the turn's first event tells it.
        """
        if self.event is not None:
            turn = self.pico.turn
            return self.event.eci or (turn.agenda[0].eci if turn is not None else "") or self.own_eci
        if self.query is not None:
            return self.own_eci if self.query.door in INSIDE_DOORS else self.query.eci
        return None

    @property
    def own_eci(self) -> str:
        """The channel by which the pico reaches itself."""
        eci: str = self.pico.info.get("self_eci")
        return eci


_STEPS_PER_MODULE = 100
"""To make an instance of a module, besides what its global block does."""
_STEPS_PER_LOG = 20
"""To write a log entry takes about as long as so many calls."""
LOG_LEVELS = {"warn": "warning", "klog": "info"}
"""Levels of KRL that the engine's log calls something else."""


def meter_of(pico: Pico) -> Meter:
    """The meter that all KRL rulesets of a pico share."""
    meter: Meter | None = pico.meter
    if meter is None:
        meter = pico.meter = Meter(pico.engine.limits.krl, lambda: _end_slice(pico))
    return meter


def _end_slice(pico: Pico) -> None:
    """The turn has taken a slice of steps: let others have their turn, unless it changes too much."""
    engine = pico.engine
    most = engine.limits.krl.changes_max
    if len(engine.ledger.journal) > most:
        raise KrlLimitExceeded(
            f"the rulesets changed more than {most:,} stored rows in one turn (changes_max)",
            "give a variable its value once, when it is worked out; spread long work over several events",
        )
    engine.slices.pause(pico)


def _place(error: Exception, code: CodeType) -> tuple[str, bool]:
    """Where in the KRL text an error happened, the innermost generated code that it passed through.

    And whether it happened in generated code itself.
    """
    place, is_innermost, trace = code.co_filename, False, error.__traceback__
    while trace is not None:
        frame_code = trace.tb_frame.f_code
        is_innermost = frame_code.co_filename == code.co_filename
        if is_innermost:
            positions = list(frame_code.co_positions())[trace.tb_lasti // 2]
            line, column = positions[0], positions[2]
            place = f"{code.co_filename}:{line}:{(column or 0) + 1}"
        trace = trace.tb_next
    return place, is_innermost
