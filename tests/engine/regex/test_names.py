"""Names of groups, and the first look at which groups there are."""

from __future__ import annotations

import pytest

from pico_engine.regex.names import group_names, read_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("year>x", "year"),
        ("$a_1>", "$a_1"),
        ("été>", "été"),
        (r"a\u0062>", "ab"),
        (r"\u{62}>", "b"),
        (r"\ud835\udc9c>", "\U0001d49c"),
        (">", None),
        ("1a>", None),
        ("a b>", None),
        ("a", None),
        (r"\ud835>", None),
        (r"\u{110000}>", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    found, at = read_name("<" + text, 1)
    assert found == name
    assert at == (1 if name is None else text.index(">") + 2)


def test_groups_are_found_outside_of_classes_and_escapes() -> None:
    assert group_names(r"(a)(?<n>b)\([(](?:c)(?=d)(?<=e)(?<!f)[\](]((?<m>g))") == (None, "n", None, "m")
