"""Rulesets in Python: a class with persistent variables, configuration, rules and queries.

    class Thermometer(Ruleset, rid="org.example.thermometer", version="1.0.0"):
        \"\"\"Keeps the readings of one sensor and says when it gets hot.\"\"\"

        readings: list[Reading] = ent(default=[])
        limit_celsius: float = config(default=30.0)

        @query
        def temperatures(self) -> list[Reading]:
            return self.readings

        @rule(when("sensor:reading", celsius=number()))
        def record(self, event: Event, celsius: float) -> None:
            self.readings.append({"at": event.time_ms, "celsius": celsius})
            if celsius > self.limit_celsius:
                self.raise_event("sensor:too_hot", celsius=celsius)

        @rule(when("sensor:too_hot").count(3).within(minutes=5))
        def alarm(self, event: Event) -> None:
            self.directive("alarm", {"at": event.time_ms})

A rule is a method; what it does to its pico is kept if it returns and dropped if it raises. The values that
its event expression captures are passed by name. Rulesets are found by the entry point group
`picomesh.rulesets`, or put into the node's `rulesets` folder; `pico_engine.harness` runs one in a unit test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from pico_engine.api import RulesetApi
from pico_engine.definition import QueryDefinition, RuleDefinition, RulesetDefinition
from pico_engine.errors import BadRequest, EngineError, RulesetDefinitionError
from pico_engine.expressions import EventExpression, compile_select
from pico_engine.values import Json, freeze

if TYPE_CHECKING:
    from pico_engine.events import Event
    from pico_engine.pico import Pico

_Method = TypeVar("_Method", bound=Callable[..., Any])
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_RESERVED = frozenset(name for name in dir(RulesetApi) if not name.startswith("__")) | {
    "_pico",
    "config",
    "variables",
    "definition",
}
"""What every ruleset has; a member of the same name would hide it."""
_CHANGEABLE = (list, dict, set)


class EntVariable:
    """A persistent variable of a ruleset class; see `ent`."""

    __slots__ = ("default", "name")

    def __init__(self, default: Json) -> None:
        try:
            self.default = freeze(default)
        except EngineError as error:
            raise RulesetDefinitionError(f"the default of a persistent variable: {error}") from error
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> EntVariable: ...
    @overload
    def __get__(self, instance: Ruleset, owner: type) -> Any: ...
    def __get__(self, instance: Ruleset | None, owner: type) -> Any:
        return self if instance is None else instance.variables.get(self.name, self.default)

    def __set__(self, instance: Ruleset, value: Json) -> None:
        instance.variables.set(self.name, value)

    def __delete__(self, instance: Ruleset) -> None:
        instance.variables.clear(self.name)


class ConfigValue:
    """A value that the installation of a ruleset sets; see `config`."""

    __slots__ = ("default", "name")

    def __init__(self, default: Json) -> None:
        try:
            self.default = freeze(default)
        except EngineError as error:
            raise RulesetDefinitionError(f"the default of a configuration value: {error}") from error
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> ConfigValue: ...
    @overload
    def __get__(self, instance: Ruleset, owner: type) -> Any: ...
    def __get__(self, instance: Ruleset | None, owner: type) -> Any:
        return self if instance is None else instance.config.get(self.name, self.default)

    def __set__(self, instance: Ruleset, value: Json) -> None:
        raise AttributeError(f"{self.name} is configuration: it is set when the ruleset is installed")


def ent(*, default: Json = None) -> Any:
    """A persistent variable: kept with the pico, changed only by this ruleset's rules.

    Holds JSON-like data. Lists and maps change in place (`self.readings.append(…)`, `self.seen[key] = …`),
    their elements do not: assign a new element. `del self.name` brings the default back.
    """
    return EntVariable(default)


def config(*, default: Json = None) -> Any:
    """A configuration value: given when the ruleset is installed, else `default`; rules only read it."""
    return ConfigValue(default)


def rule(expression: EventExpression, *, name: str | None = None) -> Callable[[_Method], _Method]:
    """Makes a method a rule that is selected by `expression` (see `pico_engine.expressions.when`).

    The method takes the event, and by name whatever of the captured values it wants.
    """

    if not isinstance(expression, EventExpression):
        raise RulesetDefinitionError(
            f"@rule needs an event expression, not {_named(expression)}",
            'write @rule(when("domain:type")) above the method',
        )

    def mark(method: _Method) -> _Method:
        _check_method("rule", method)
        method.__rule__ = (expression, name or method.__name__)  # type: ignore[attr-defined]
        return method

    return mark


def _named(value: object) -> str:
    return str(getattr(value, "__name__", None) or f"a {type(value).__name__}")


def _check_method(kind: str, method: object) -> None:
    """Raises RulesetDefinitionError unless it is a plain method, which runs when it is called."""
    where = f"{kind} {_named(method)}"
    if not inspect.isfunction(method):
        raise RulesetDefinitionError(
            f"@{kind} marks methods, not {_named(method)}", f"write @{kind} directly above `def name(self)`"
        )
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise RulesetDefinitionError(
            f"{where} is async", "write a plain `def`: self.query waits by itself, and nothing else has to"
        )
    if inspect.isgeneratorfunction(method):
        raise RulesetDefinitionError(f"{where} is a generator", "return a list, and leave out `yield`")
    parameters = list(inspect.signature(method).parameters.values())
    if not parameters or parameters[0].kind not in _BY_POSITION:
        raise RulesetDefinitionError(f"{where} has no `self`", "write it as a method")
    for one in parameters[1:]:
        if one.kind is one.VAR_POSITIONAL:
            raise RulesetDefinitionError(
                f"{where} takes *{one.name}", "name each parameter: values are passed by name"
            )


def query(method: _Method) -> _Method:
    """Makes a method a shared query: askable over channels whose policy allows it; it only reads."""
    _check_function("query", method)
    provided = getattr(method, "__function__", "") == "provided"
    method.__function__ = "both" if provided else "shared"  # type: ignore[attr-defined]
    return method


def _check_function(kind: str, method: Callable[..., Any]) -> None:
    _check_method(kind, method)
    for one in list(inspect.signature(method).parameters.values())[1:]:
        if one.kind in (one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            raise RulesetDefinitionError(
                f"{kind} {_named(method)} takes {one}, which callers cannot give by name",
                "name each parameter; whoever asks gives values by name",
            )


def provides(method: _Method) -> _Method:
    """Makes a method a module function: other rulesets of the same pico call it through `self.use(…)`."""
    _check_method("provides", method)
    shared = getattr(method, "__function__", "")
    method.__function__ = "both" if shared == "shared" else "provided"  # type: ignore[attr-defined]
    return method


class _RulesetType(type):
    """Gives rulesets no room for undeclared attributes: they would be forgotten when the pico is put away."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], members: dict[str, Any], **arguments: Any
    ) -> _RulesetType:
        members.setdefault("__slots__", ())
        return super().__new__(mcs, name, bases, members, **arguments)


class Ruleset(RulesetApi, metaclass=_RulesetType):
    """The base of all rulesets written in Python; see the module for an example."""

    __slots__ = ("_pico", "config", "variables")

    def __init_subclass__(
        cls, *, rid: str | None = None, version: str = "0.0.0", author: str = "", **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if rid is not None:
            cls.definition = _define(cls, rid, version, author)

    def __init__(self, pico: Pico, settings: Mapping[str, Json]) -> None:
        self._pico = pico
        self.config = settings
        self.variables = pico.variables_of(self.definition.rid)


def _define(cls: type[Ruleset], rid: str, version: str, author: str) -> RulesetDefinition:
    if type(rid) is not str or not all(part.replace("-", "_").isidentifier() for part in rid.split(".")):
        raise RulesetDefinitionError(
            f"{rid!r} is not a ruleset id", "write dotted names, as in org.example.thermometer"
        )
    rules: list[RuleDefinition] = []
    functions: dict[str, QueryDefinition] = {}
    defaults: dict[str, Json] = {}
    for name, member in _members(cls).items():
        _check_member(cls, name, member)
        if isinstance(member, ConfigValue):
            defaults[name] = member.default
        elif hasattr(member, "__rule__"):
            rules.append(_define_rule(cls, member))
        elif hasattr(member, "__function__"):
            functions[name] = _define_function(cls, name, member)
    names = [one.name for one in rules]
    if len(set(names)) != len(names):
        raise RulesetDefinitionError(f"{rid}: two rules have the same name among {sorted(names)}")
    return RulesetDefinition(
        rid=rid,
        version=version,
        name=cls.__name__,
        description=inspect.cleandoc(cls.__doc__ or ""),
        author=author,
        rules=tuple(rules),
        functions=functions,
        defaults=defaults,
        create=cast("Callable[[Pico, Mapping[str, Json]], Any]", cls),
    )


def _members(cls: type) -> dict[str, Any]:
    """Members in source order, inherited ones first, each where it was first named."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base not in Ruleset.__mro__:
            members.update(vars(base))
    members.pop("definition", None)  # of a base that is a ruleset itself
    return members


def _check_member(cls: type, name: str, member: object) -> None:
    is_function = hasattr(member, "__function__")  # whose name others may depend on; it hides only itself
    if name in _RESERVED and not is_function:
        raise RulesetDefinitionError(
            f"{cls.__name__}.{name} hides what every ruleset has under this name", f"rename it: {name}_"
        )
    if isinstance(member, _CHANGEABLE) and name.islower() and not name.startswith("_"):
        raise RulesetDefinitionError(
            f"{cls.__name__}.{name} would be shared by all picos, and forgotten",
            f"write {name} = ent(default=…) to keep it with each pico, {name.upper()} for a constant",
        )


def _define_rule(cls: type, method: Callable[..., None]) -> RuleDefinition:
    expression, name = method.__rule__  # type: ignore[attr-defined]
    machine = compile_select(expression.select())
    parameters = list(inspect.signature(method).parameters.values())[1:]
    where = f"rule {cls.__name__}.{name}"
    wants_event = bool(parameters) and parameters[0].kind in _BY_POSITION
    if wants_event and parameters[0].name in machine.settings:
        raise RulesetDefinitionError(
            f"{where} takes {parameters[0].name!r} in the place of the event",
            f"write def {method.__name__}(self, event, {parameters[0].name})",
        )
    wanted = parameters[1:] if wants_event else parameters
    takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in wanted)
    named = tuple(one.name for one in wanted if one.kind is not inspect.Parameter.VAR_KEYWORD)
    unknown = [
        one.name
        for one in wanted
        if one.name in named and one.name not in machine.settings and one.default is one.empty
    ]
    if unknown:
        raise RulesetDefinitionError(
            f"{where} takes {unknown[0]!r}, which its event expression does not capture",
            f"add an attribute pattern for it, or remove it; captured are {sorted(machine.settings)}",
        )

    def run_plain(ruleset: Any, event: Event, _settings: Mapping[str, Json]) -> None:
        method(ruleset, event)

    def run_bare(ruleset: Any, _event: Event, _settings: Mapping[str, Json]) -> None:
        method(ruleset)

    def run_named(ruleset: Any, event: Event, settings: Mapping[str, Json]) -> None:
        method(ruleset, event, **{key: settings[key] for key in named if key in settings})

    def run_all(ruleset: Any, event: Event, settings: Mapping[str, Json]) -> None:
        method(ruleset, event, **settings)

    def run_without_event(ruleset: Any, _event: Event, settings: Mapping[str, Json]) -> None:
        method(ruleset, **{key: settings[key] for key in settings if takes_all or key in named})

    if not wants_event:
        return RuleDefinition(name, machine, run_without_event if parameters else run_bare)
    if takes_all:
        return RuleDefinition(name, machine, run_all)
    return RuleDefinition(name, machine, run_named if named else run_plain)


_CONVERTERS: dict[str, Callable[[str], Json]] = {
    "int": int,
    "float": lambda text: freeze(float(text)),
    "bool": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
}


def _scalar_named(annotation: object) -> str:
    """`int`, `float` or `bool` of such an annotation, with or without `| None`; "" for any other.

    By its text, because annotations may name what only a type checker can see.
    """
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    words = {word.strip().strip("'\"") for word in text.split("|")} - {"None"}
    word = words.pop() if len(words) == 1 else ""
    return word if word in _CONVERTERS else ""


def _define_function(cls: type, name: str, method: Callable[..., Json]) -> QueryDefinition:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    names = tuple(one.name for one in parameters)
    required = {one.name for one in parameters if one.default is one.empty}
    kinds = {one.name: _scalar_named(one.annotation) for one in parameters}
    converters = {key: _CONVERTERS[word] for key, word in kinds.items() if word}

    def run(ruleset: Any, args: Json) -> Json:
        """`args`: a map by name (what the function does not know is ignored) or a list by position."""
        given = args if isinstance(args, Mapping) else dict(zip(names, args, strict=False))
        values = {key: given[key] for key in names if key in given}
        missing = required - values.keys()
        if missing:
            raise BadRequest(f"query {name} of {cls.__name__} needs the argument {min(missing)!r}")
        for key, convert in converters.items():
            if isinstance(values.get(key), str):  # arguments in a URL are text
                try:
                    values[key] = convert(values[key])
                except (ValueError, KeyError, BadRequest):
                    raise BadRequest(f"argument {key} of query {name} must be {kinds[key]}") from None
        return method(ruleset, **values)

    kind = method.__function__  # type: ignore[attr-defined]
    return QueryDefinition(
        name, names, run, shared=kind in ("shared", "both"), provided=kind in ("provided", "both")
    )
