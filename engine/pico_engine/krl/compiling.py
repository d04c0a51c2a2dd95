"""From KRL text to a ruleset that the engine can run: `compile_ruleset`, and the same with a cache."""

from __future__ import annotations

from collections.abc import Callable

from pico_engine.krl.cache import cache_key, dump, load
from pico_engine.krl.check import check_tree
from pico_engine.krl.compiler import CompileError
from pico_engine.krl.diagnostics import Diagnostic, KrlSyntaxError
from pico_engine.krl.parser import parse_all
from pico_engine.krl.program import CompiledRuleset, Program, code_of, definition_of, hash_of
from pico_engine.limits import KrlLimits


def compile_ruleset(text: str, *, url: str = "", limits: KrlLimits | None = None) -> CompiledRuleset:
    """The ruleset that `text` is; `url` is where it comes from, for what errors say.

    Raises KrlSyntaxError with all that is wrong.
    """
    limits = limits or KrlLimits()
    tree, found, guessed = parse_all(text, limits.nesting_max_levels, limits.tokens_max)
    if tree is not None:
        found = [*found, *check_tree(tree, guessed)]
    found.sort(key=lambda one: one.span)
    errors = [one for one in found if one.severity == "error"]
    if errors or tree is None:
        raise KrlSyntaxError(errors, text, url)
    try:
        program = Program(*code_of(tree, text, limits))
    except CompileError as error:
        diagnostic = Diagnostic("error", error.diagnosis, error.what, error.hint, error.span)
        raise KrlSyntaxError((diagnostic,), text, url) from None
    return _compiled(program, text, tuple(found))


def _compiled(program: Program, text: str, warnings: tuple[Diagnostic, ...]) -> CompiledRuleset:
    definition = definition_of(program)
    return CompiledRuleset(definition, program.blueprint.uses, warnings, hash_of(text), program)


class CompileCache:
    """Keeps compiled rulesets: `read(key)` answers what `write(key, data)` was told, or None.

    Where the two keep it must be the node owner's own, see `cache`.
    """

    def __init__(self, read: Callable[[str], bytes | None], write: Callable[[str, bytes], None]) -> None:
        self._read = read
        self._write = write

    def compile(self, text: str, url: str = "") -> CompiledRuleset:
        """Like `compile_ruleset`."""
        key = cache_key(text)
        data = self._read(key)
        known = load(data, text) if data is not None else None
        if known is not None:
            program, warnings = known
            return _compiled(program, text, warnings)
        compiled = compile_ruleset(text, url=url)
        self._write(key, dump(compiled.program, text, compiled.warnings))
        return compiled
