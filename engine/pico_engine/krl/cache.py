"""Compiled rulesets as bytes, so that a node which starts again does not compile again.

The bytes hold code: whoever can write them decides what runs. They belong into a folder of the node's owner,
and are never taken from anyone else. Their name says what they were made of; bytes of another source, another
version of the compiler or another Python are not looked at.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from pico_engine.krl.compiler import Blueprint
from pico_engine.krl.diagnostics import Diagnostic
from pico_engine.krl.program import Program, hash_of
from pico_engine.krl.syntax import Span

COMPILER_VERSION: Final = 3
"""To be raised whenever the same source comes to be compiled differently."""
_MAGIC: Final = b"picomesh krl\n"


def cache_key(text: str) -> str:
    """The name of a source's compiled form: 64 hexadecimal digits."""
    python = ".".join(map(str, sys.version_info[:3]))
    made_of = f"{COMPILER_VERSION}\n{sys.implementation.cache_tag} {python}\n{hash_of(text)}"
    return sha256(made_of.encode()).hexdigest()


def dump(program: Program, text: str, warnings: Sequence[Diagnostic] = ()) -> bytes:
    """The program as bytes, with what there was to say of its source `text`."""
    told = [(one.severity, one.code, one.message, one.hint, tuple(one.span)) for one in warnings]
    data: Any = (program.code, program.blueprint.to_data(), told)
    body = marshal.dumps(data)
    return _MAGIC + cache_key(text).encode() + sha256(body).digest() + body


def load(data: bytes, text: str) -> tuple[Program, tuple[Diagnostic, ...]] | None:
    """The program that `dump` made of this very source, and its warnings; None for anything else."""
    head = _MAGIC + cache_key(text).encode()
    digest, body = data[len(head) : len(head) + 32], data[len(head) + 32 :]
    if not data.startswith(head) or sha256(body).digest() != digest:
        return None
    compiled, blueprint, told = marshal.loads(body)  # noqa: S302 - of the owner's own folder
    warnings = (
        Diagnostic(severity, code, message, hint, Span(*span)) for severity, code, message, hint, span in told
    )
    return Program(compiled, Blueprint(*blueprint)), tuple(warnings)
