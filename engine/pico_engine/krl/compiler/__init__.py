"""From the syntax tree of a KRL ruleset to Python's own, and the data that goes with it."""

from pico_engine.krl.compiler.nodes import CompileError
from pico_engine.krl.compiler.ruleset import Blueprint, compile_tree

__all__ = ["Blueprint", "CompileError", "compile_tree"]
