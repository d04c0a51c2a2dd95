"""Modules: `domain:name` of a built-in module, or of another ruleset of the same pico.

What a ruleset uses with `use module` hides a built-in module of the same name. A used ruleset in KRL gets an
instance of its own, made here, with the values after `with`; one in Python is asked for what it marks with
`@provides`, its arguments and answers being data only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.modules import ctx, dido, event, http, math, meta, random, schedule, time, ursa
from pico_engine.krl.values import Function, Invocable, to_json
from pico_engine.values import freeze

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.modules.member import Member
    from pico_engine.krl.values import Value

Members = Mapping[str, "Member"]
Named = Mapping[str, Any] | None

BUILT_IN: Final[Mapping[str, Members]] = MappingProxyType(
    {
        "ctx": ctx.MEMBERS,
        "dido": dido.MEMBERS,
        "event": event.MEMBERS,
        "http": http.MEMBERS,
        "math": math.MEMBERS,
        "meta": meta.MEMBERS,
        "random": random.MEMBERS,
        "schedule": schedule.MEMBERS,
        "time": time.MEMBERS,
        "ursa": ursa.MEMBERS,
    }
)

_INVOCABLES: Final[Mapping[tuple[str, str], Invocable]] = MappingProxyType(
    {
        (domain, name): member.invocable(f"{domain}:{name}")
        for domain, members in BUILT_IN.items()
        for name, member in members.items()
        if member.kind != "property"
    }
)


class PythonModule:
    """A ruleset written in Python, as a module."""

    __slots__ = ("_definition", "_given")

    def __init__(self, definition: RulesetDefinition, given: Mapping[str, Value]) -> None:
        self._definition = definition
        self._given = given

    def call(self, run: Instance, name: str, args: Sequence[Value], named: Named) -> Value:
        function = self._definition.functions.get(name)
        if function is None or not function.provided:
            raise missing_member(self._definition.rid, name)
        given = freeze(to_json(dict(self._given), run)) if self._given else None
        instance = run.pico.instance(self._definition, given)
        values = dict(zip(function.parameters, args, strict=False)) | dict(named or {})
        return freeze(function.run(instance, freeze(to_json(values, run))))


class KrlModule:
    """A ruleset written in KRL, as a module: an instance with the configuration of its user."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def member(self, name: str) -> Value:
        provides = self._instance.provides
        if name not in provides:
            raise missing_member(self._instance.rid, name)
        return provides[name]


def missing_member(domain: str, name: str) -> KrlRuntimeError:
    return type_error(f"{domain}:{name} is not a function: the module {domain} provides no {name}")


def use_module(run: Instance, rid: str, alias: str, given: Mapping[str, Value]) -> None:
    """`use module RID alias ALIAS with …`. Raises KrlRuntimeError when there is none, or it uses itself."""
    chain = [run.rid]
    one = run
    while one.host is not None:
        one = one.host
        chain.insert(0, one.rid)
    if rid in chain:
        path = " -> ".join([*chain, rid])
        raise KrlRuntimeError(
            "Error", f"Dependency Cycle Found: {path}", "one of them must do without another"
        )
    run.outermost.count_module()
    definition = run.pico.definition(rid)
    if definition is None:
        raise KrlRuntimeError(
            "Error", f"Module not found: {rid}", f"install {rid} in this pico before {run.rid}, which uses it"
        )
    as_module = getattr(definition.create, "as_module", None)
    if as_module is None:
        run.uses[alias] = PythonModule(definition, given)
    else:
        config = run.pico.installed.get(rid)["config"]
        run.uses[alias] = KrlModule(as_module(run.pico, config, given, run))


def _built_in(domain: str, name: str) -> Member:
    members = BUILT_IN.get(domain)
    if members is None:
        raise type_error(f"Module not found: {domain}: write `use module … alias {domain}` in the meta block")
    member = members.get(name)
    if member is None:
        raise missing_member(domain, name)
    return member


def read_member(run: Instance, domain: str, name: str) -> Value:
    """`domain:name` that is not called: a property; a function is called without arguments, as ever."""
    used = run.uses.get(domain)
    if isinstance(used, PythonModule):
        return used.call(run, name, (), None)
    if used is not None:
        value = used.member(name)
        return run.call(value, ()) if isinstance(value, Function) else value
    member = _built_in(domain, name)
    if member.kind == "property":
        return member.call(run)
    return run.call(_INVOCABLES[domain, name], ())


def call_member(run: Instance, domain: str, name: str, args: Sequence[Value], named: Named = None) -> Value:
    """`domain:name(…)` in an expression."""
    used = run.uses.get(domain)
    if isinstance(used, PythonModule):
        return used.call(run, name, args, named)
    if used is not None:
        return run.call_function(used.member(name), args, named)
    member = _built_in(domain, name)
    if member.kind not in ("function", "both"):
        raise type_error(f"{domain}:{name} is not a function")
    return run.call(_INVOCABLES[domain, name], args, named)


def act_member(run: Instance, domain: str, name: str, args: Sequence[Value], named: Named = None) -> Value:
    """`domain:name(…)` as a rule's action."""
    used = run.uses.get(domain)
    if isinstance(used, PythonModule):
        return used.call(run, name, args, named)
    if used is not None:
        return run.call_action(used.member(name), args, named)
    member = _built_in(domain, name)
    if member.kind not in ("action", "both"):
        raise type_error(f"{domain}:{name} is not an action")
    return run.call(_INVOCABLES[domain, name], args, named)
