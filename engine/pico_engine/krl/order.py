"""Which of two KRL values comes first: by text, or by number where both have one."""

from __future__ import annotations

from pico_engine.krl.counting import number_of, scan
from pico_engine.krl.values import Run, Value, to_string


def compare_text(run: Run, left: Value, right: Value) -> int:
    """-1, 0 or 1 by the values' texts: what `cmp` answers."""
    a, b = to_string(left), to_string(right)
    scan(run, len(a) + len(b))
    if a == b:
        return 0
    return -1 if comes_first(a, b) else 1


def compare(run: Run, left: Value, right: Value) -> int:
    """-1, 0 or 1 by the values' numbers if both have one, else by their texts: what `<=>` answers."""
    if type(left) is not int or type(right) is not int:
        a, b = number_of(run, left), number_of(run, right)
        if a is None or b is None:
            return compare_text(run, left, right)
        left, right = a, b
    return 0 if left == right else 1 if left > right else -1


def comes_first(a: str, b: str) -> bool:
    """Whether `a` stands before `b` in JavaScript, which compares UTF-16 units and not code points."""
    if a.isascii() or b.isascii():  # at the first difference one of them has a unit that is a code point
        return a < b
    return units(a) < units(b)


def units(text: str) -> bytes:
    """A key by which texts sort as in JavaScript."""
    return text.encode("utf-16-be", "surrogatepass")
