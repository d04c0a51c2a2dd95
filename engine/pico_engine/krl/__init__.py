"""KRL, the language of picos: from text to a ruleset that runs within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.krl.check import check
from pico_engine.krl.diagnostics import Diagnostic, KrlSyntaxError
from pico_engine.krl.parser import parse

if TYPE_CHECKING:
    from pico_engine.krl.compiling import CompileCache, compile_ruleset
    from pico_engine.krl.program import CompiledRuleset

__all__ = [
    "CompileCache",
    "CompiledRuleset",
    "Diagnostic",
    "KrlSyntaxError",
    "check",
    "compile_ruleset",
    "parse",
]


def __getattr__(name: str) -> object:
    """What compiles and runs is loaded when it is asked for: who only reads KRL does not wait for it."""
    if name in ("CompileCache", "compile_ruleset"):
        from pico_engine.krl import compiling

        return getattr(compiling, name)
    if name == "CompiledRuleset":
        from pico_engine.krl.program import CompiledRuleset

        return CompiledRuleset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
