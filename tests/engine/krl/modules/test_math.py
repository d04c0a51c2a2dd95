"""The module `math` beyond the recorded cases. Expected values are those of node."""

from __future__ import annotations

import math as python_math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError
from pico_engine.krl.modules.math import MEMBERS
from pico_engine.krl.values import UNDEFINED
from tests.engine.krl.helpers import CountingRun


def call(name: str, *args: Any, **named: Any) -> Any:
    return CountingRun().call(MEMBERS[name].invocable(name), args, named)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_base64_there_and_back(text: str) -> None:
    assert call("base64decode", call("base64encode", text)) == text
    wide = call("base64encode", text, "utf16le")
    assert call("base64decode", wide, "utf16le") == text
    for encoding in ("base64url", "hex"):
        assert call("base64encode", call("base64decode", wide, encoding), encoding) == wide


@pytest.mark.parametrize(
    ("text", "decoded"),
    [("YQ==YQ==", "a"), ("Y Q=\n=", "a"), ("YWJjZ", "abc"), ("=YQ", ""), ("Y", ""), ("wMHC", "\ufffd" * 3)],
)
def test_base64_is_read_leniently(text: str, decoded: str) -> None:
    assert call("base64decode", text) == decoded


def test_encodings() -> None:
    assert call("base64encode", "é", "latin1") == "6Q=="
    assert call("base64encode", "a\ud800") == "Ye+/vQ=="
    assert call("base64encode", "61zz", "hex") == "YQ=="
    assert call("base64encode", "abc", 5) == "YWJj"
    with pytest.raises(KrlRuntimeError) as caught:
        call("base64encode", "abc", "x")
    assert str(caught.value) == "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: x"


def test_every_algorithm_that_is_listed_works() -> None:
    names = MEMBERS["hashAlgorithms"].call(CountingRun())
    assert {"md5", "sha1", "sha256", "sha512", "sha3-512", "RSA-SHA256", "blake2b512"} <= set(names)
    assert names == sorted(names)
    for name in names:
        assert len(call("hash", name, "x")) in {32, 40, 56, 64, 96, 128}
        if not name.startswith("shake"):
            assert call("hmac", name, "k", "x") != call("hmac", name, "k", "y")


def test_hashes() -> None:
    assert call("hash", "shake128", "a") == "85c8de88d28866bf0868090b3961162b"
    assert call("hash", "sha1", "a", encoding="base64") == "hvfkN/qlp/zhXR3cuerq6jd2Z7g="
    assert call("hmac", "sha3-256", "k", "a").startswith("8fff5df388f7bb88")
    with pytest.raises(KrlRuntimeError, match="shake256"):
        call("hmac", "shake256", "k", "a")


def test_the_old_name_of_the_list_is_logged() -> None:
    run = CountingRun()
    assert run.call(MEMBERS["hashFunctions"].invocable("hashFunctions"), []) == MEMBERS[
        "hashAlgorithms"
    ].call(run)
    assert run.logged[0][0] == "warn"


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("round", (1.005, 2), 1.01),
        ("round", (-2.5,), -2),
        ("round", (2.5,), 3),
        ("round", (0.49999999999999994,), 0),
        ("round", (1234.5678, "2"), 1234.57),
        ("round", (1e21, 3), 1e21),
        ("floor", ("5.9",), 5),
        ("floor", (-0.5,), -1),
        ("ceiling", (6040, -2), 6100),
        ("ceiling", (None,), 0),
        ("int", ("-3.9",), -3),
        ("int", ([],), 0),
        ("abs", ("-5",), 5),
        ("abs", (True,), 1),
        ("abs", ([-7],), 7),
    ],
)
def test_rounding(name: str, args: tuple[Any, ...], result: float) -> None:
    assert call(name, *args) == result


@pytest.mark.parametrize("name", ["abs", "ceiling", "floor", "int", "round"])
def test_what_is_no_number_stays_none(name: str) -> None:
    for value in ("x", UNDEFINED, {}):
        assert python_math.isnan(call(name, value))
    assert python_math.isinf(call(name, "Infinity"))


def test_named_arguments() -> None:
    assert call("round", precision=1, number=0.46) == 0.5


def test_large_texts_are_counted() -> None:
    run = CountingRun(chars_max=10_000)
    with pytest.raises(KrlLimitExceeded):
        run.call(MEMBERS["base64encode"].invocable("base64encode"), ["a" * 10_000])


def test_algorithms_that_python_does_not_have_everywhere_are_unknown() -> None:
    for name in ("ripemd160", "sm3", "md5-sha1", "sha512-256"):
        with pytest.raises(KrlRuntimeError, match="recognize"):
            call("hash", name, "x")
