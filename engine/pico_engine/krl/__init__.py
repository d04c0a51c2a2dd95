"""KRL, the language of picos: from text to a ruleset that runs within limits."""

from pico_engine.krl.check import check
from pico_engine.krl.compiling import CompileCache, compile_ruleset
from pico_engine.krl.diagnostics import Diagnostic, KrlSyntaxError
from pico_engine.krl.parser import parse
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
