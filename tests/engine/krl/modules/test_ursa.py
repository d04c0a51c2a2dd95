"""The module `ursa`, against what the existing engine (1.4.0) has made, in data/ursa.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import base58
import pytest

from pico_engine.errors import EngineError
from tests.engine.krl.picos import Krl, ruleset, values

MADE = json.loads((Path(__file__).parents[1] / "data" / "ursa.json").read_text("utf-8"))
A, B = MADE["a"], MADE["b"]
GLOBAL = """global {
  sig_data = function(b){ ursa:sig_data(b) }
  sign = function(b, c){ ursa:crypto_sign(b, c) }
  verify = function(f){ ursa:verify_signed_field(f) }
  unpack = function(m, c){ ursa:unpack(m, c) }
  pack = function(m, to, c){ ursa:pack(m, to, c) }
  made = function(){ ursa:generateDID() }
}"""


@pytest.fixture(scope="module")
def krl() -> Krl:
    return Krl(ruleset(GLOBAL, "shares sig_data, sign, verify, unpack, pack, made"))


def ask(krl: Krl, name: str, *args: Any) -> Any:
    return krl.query(name, {str(number): one for number, one in enumerate(args)})


def test_signed_fields(krl: Krl) -> None:
    data, signature = MADE["sig_data"], MADE["signature"]
    assert ask(krl, "sig_data", MADE["bytes"]) == data
    assert ask(krl, "sign", MADE["bytes"], A) == signature
    field = {"signature": signature, "sig_data": data, "signer": A["ariesPublicKey"]}
    told = MADE["verified"]
    assert ask(krl, "verify", field) == {**told, "timestamp": list(told["timestamp"].values())}
    assert ask(krl, "verify", {**field, "signer": B["ariesPublicKey"]})["sig_verified"] is False
    assert ask(krl, "verify", {**field, "sig_data": "AQ" + data[2:]})["sig_verified"] is False


@pytest.mark.parametrize("name", ["auth", "anon"])
def test_envelopes_of_the_existing_engine_are_opened(krl: Krl, name: str) -> None:
    assert ask(krl, "unpack", MADE[name], B) == MADE[f"opened_{name}"]
    assert ask(krl, "unpack", json.loads(MADE[name]), B) == MADE[f"opened_{name}"]


def test_envelopes_go_round(krl: Krl) -> None:
    a, b, c = (ask(krl, "made") for _ in range(3))
    assert len({one["ariesPublicKey"] for one in (a, b, c)}) == 3
    keys = [a["ariesPublicKey"], b["ariesPublicKey"]]
    packed = ask(krl, "pack", "ein Gruß", keys, c)
    head = json.loads(MADE["auth"])
    assert list(json.loads(packed)) == list(head)
    for one in (a, b):
        opened = ask(krl, "unpack", packed, one)
        assert opened == {
            "message": "ein Gruß",
            "sender_key": c["ariesPublicKey"],
            "recipient_key": one["ariesPublicKey"],
        }
    assert ask(krl, "unpack", ask(krl, "pack", "", keys[:1]), a)["sender_key"] is None


def test_numbers_are_bytes_as_in_javascript(krl: Krl) -> None:
    assert ask(krl, "sig_data", [256, -1, 3.9, "x", None]) == ask(krl, "sig_data", [0, 255, 3, 0, 0])
    infinity = f"({'9' * 200} * {'9' * 200})"
    assert values(f"{infinity}.typeof()") == "JSObject"  # so the existing engine calls it
    assert values(f"ursa:sig_data([{infinity}])") == ask(krl, "sig_data", [0])


def test_what_signs_shows_its_characters_without_their_highest_bit(krl: Krl) -> None:
    data = ask(krl, "sig_data", [*range(8), 0xC1, 0x41, 0xFF])
    field = {"signature": MADE["signature"], "sig_data": data, "signer": A["ariesPublicKey"]}
    told = ask(krl, "verify", field)
    assert told == {"sig_verified": False, "field": "AA\x7f", "timestamp": list(range(8))}


NUMBERS, TEXT = [0] * 60_000, "A" * 500_000
LARGE = {
    "numbers": ("sig_data", NUMBERS),
    "numbers to sign": ("sign", NUMBERS, A),
    "a signature": ("verify", {"signature": TEXT, "sig_data": "AAAA", "signer": A["ariesPublicKey"]}),
    "a signed field": ("verify", {"signature": "AAAA", "sig_data": TEXT, "signer": A["ariesPublicKey"]}),
    "an envelope": ("unpack", "[" + "1," * 60_000 + "1]", B),
    "a header": ("unpack", {"protected": TEXT}, B),
    "what is to be sealed": ("pack", TEXT, [B["ariesPublicKey"]], A),
}


@pytest.mark.parametrize("call", LARGE.values(), ids=LARGE)
def test_what_is_large_costs_steps(call: tuple[Any, ...]) -> None:
    krl = Krl(ruleset(GLOBAL, "shares sig_data, sign, verify, unpack, pack, made"), steps_max=5_000)
    with pytest.raises(EngineError, match="more than 5,000 steps"):
        ask(krl, *call)


def test_keys_belong_together(krl: Krl) -> None:
    made = ask(krl, "made")
    assert {name: type(value) for name, value in made.items()} == {
        name: type(value) for name, value in A.items()
    }
    assert set(made["secret"]) == set(A["secret"])
    assert base58.b58decode(made["did"]) == base58.b58decode(made["verifyKey"])[:16]
    secret = base58.b58decode(made["secret"]["ariesPrivateKey"])
    assert secret[32:] == base58.b58decode(made["ariesPublicKey"])
    assert base58.b58decode(made["secret"]["signKey"]).hex() == made["secret"]["seed"]


def damaged(**changes: str) -> str:
    return json.dumps({**json.loads(MADE["auth"]), **changes})


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("unpack", [MADE["anon"], A], "No corresponding recipient key found"),
        ("unpack", [damaged(tag="AAAAAAAAAAAAAAAAAAAAAA=="), B], "cannot be opened"),
        ("unpack", [damaged(iv="AAAA"), B], "cannot be opened"),
        ("unpack", [damaged(protected="%"), B], "protected is no base64url"),
        ("unpack", [damaged(protected="e30="), B], "No corresponding recipient key found"),
        ("unpack", ["{", B], "the envelope is no JSON"),
        ("unpack", [{}, B], "protected is text"),
        ("unpack", [MADE["auth"], {}], "ariesPublicKey is a key in base58"),
        ("unpack", [MADE["auth"], {**B, "secret": A["secret"]}], "cannot be opened"),
        ("pack", ["x", ["11111111111111111111111111111111"]], "invalid key"),
        ("pack", ["x", ["0"]], "is no base58"),
        ("pack", ["x", ["1" * 1_000_000]], "is a key in base58"),
        ("pack", ["x", "abc"], "toPublicKeys is an Array"),
        ("pack", [5, []], "unsupported input type for message"),
        ("sign", ["text", A], "bytes is an Array"),
        ("sign", [[1], {}], "ariesPrivateKey is a key in base58"),
        ("verify", [{}], "signature is text"),
    ],
)
def test_what_does_not_fit_is_said(krl: Krl, name: str, args: list[Any], said: str) -> None:
    with pytest.raises(Exception, match=said) as refused:
        ask(krl, name, *args)
    assert "t.krl:" in str(refused.value)
