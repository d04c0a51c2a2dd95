"""Every row of the table of curves does what it says, and refuses points and signatures that are none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pico_didcomm.curves import CURVES, Curve
from pico_didcomm.encoding import b64url_decode
from pico_didcomm.errors import BadKey, BadSignature
from tests.didcomm.helpers import seeded, vectors

EC = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
APPENDIX = vectors("didcomm_v2_spec_appendix")
SIGNING = [curve for curve in CURVES.values() if curve.sign]
AGREEING = [curve for curve in CURVES.values() if curve.agree]


def private(curve: Curve, seed: int = 0) -> bytes:
    return curve.generate(seeded(seed)(curve.seed_bytes))


def test_what_each_curve_is_for() -> None:
    assert [curve.name for curve in SIGNING] == ["Ed25519", "P-256", "secp256k1"]
    assert [curve.name for curve in AGREEING] == ["X25519", "P-256", "P-384", "P-521"]


@pytest.mark.parametrize("curve", CURVES.values(), ids=lambda curve: curve.name)
def test_sizes(curve: Curve) -> None:
    key = private(curve)
    assert len(key) == curve.private_bytes
    public = curve.public_of(key)
    assert len(public) == curve.public_bytes
    assert private(curve) == key != private(curve, 1)
    assert curve.from_coordinates(*curve.coordinates(public)) == public


@pytest.mark.parametrize(
    "jwk", [*APPENDIX["secrets"]["alice"], *APPENDIX["secrets"]["bob"]], ids=lambda k: k["kid"]
)
def test_published_private_keys_have_their_public_keys(jwk: dict[str, str]) -> None:
    curve = CURVES[jwk["crv"]]
    x, y = curve.coordinates(curve.public_of(b64url_decode(jwk["d"])))
    assert (x, y) == (b64url_decode(jwk["x"]), b64url_decode(jwk.get("y", "")))


@pytest.mark.parametrize("curve", AGREEING, ids=lambda curve: curve.name)
def test_agreement_is_mutual(curve: Curve) -> None:
    a, b = private(curve, 1), private(curve, 2)
    assert curve.agree is not None
    assert curve.agree(a, curve.public_of(b)) == curve.agree(b, curve.public_of(a))
    assert curve.agree(a, curve.public_of(a)) != curve.agree(a, curve.public_of(b))


@pytest.mark.parametrize("curve", SIGNING, ids=lambda curve: curve.name)
def test_every_changed_bit_of_a_signature_is_noticed(curve: Curve) -> None:
    key = private(curve)
    public = curve.public_of(key)
    assert curve.sign is not None
    assert curve.verify is not None
    signature = curve.sign(key, public, b"text")
    assert signature == curve.sign(key, public, b"text")
    curve.verify(public, signature, b"text")
    for text, changed in (
        (b"texT", signature),
        (b"text", signature[:-1]),
        (b"text", signature + b"\0"),
        (b"text", b""),
        (b"text", bytes(len(signature))),
        (b"text", b"\xff" * len(signature)),
        *((b"text", flipped(signature, bit)) for bit in range(0, len(signature) * 8, 7)),
    ):
        with pytest.raises(BadSignature):
            curve.verify(public, changed, text)
    with pytest.raises(BadSignature):
        curve.verify(curve.public_of(private(curve, 1)), signature, b"text")


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("name", ["P-256", "secp256k1"])
def test_signatures_take_the_smaller_s(name: str) -> None:
    curve, order = CURVES[name], EC[name].group_order
    key = private(curve)
    assert curve.sign is not None
    for text in (b"%d" % i for i in range(20)):
        assert int.from_bytes(curve.sign(key, b"", text)[32:], "big") <= order // 2


@pytest.mark.parametrize("name", EC)
def test_scalars_are_between_zero_and_the_order(name: str) -> None:
    curve, order = CURVES[name], EC[name].group_order
    size = curve.private_bytes
    for scalar in (0, order, order + 1, 2 ** (8 * size) - 1):
        with pytest.raises(BadKey):
            curve.public_of(scalar.to_bytes(size, "big"))
    curve.public_of((order - 1).to_bytes(size, "big"))
    with pytest.raises(BadKey):
        curve.public_of(bytes(size - 1) + b"\1\1")
    assert int.from_bytes(curve.generate(bytes(curve.seed_bytes)), "big") == 1
    assert (curve.generate(bytes(curve.seed_bytes - size) + order.to_bytes(size, "big"))) == bytes(
        size - 1
    ) + b"\2"
    assert 0 < int.from_bytes(curve.generate(b"\xff" * curve.seed_bytes), "big") < order


@pytest.mark.parametrize("name", EC)
def test_points_off_the_curve_are_refused(name: str) -> None:
    """Among them points of the curve's twist, whose agreement would give the private key away bit by bit."""
    curve = CURVES[name]
    size = curve.private_bytes
    public = curve.public_of(private(curve))
    x, y = curve.coordinates(public)
    for bad in (
        (x, flipped(y, 0)),
        (flipped(x, 8 * size - 1), y),
        (bytes(size), bytes(size)),
        (b"\xff" * size, b"\xff" * size),
        (x[:-1], y),
        (x, y + b"\0"),
        (b"\0" + x, y),
        (x, b""),
        (b"", b""),
    ):
        with pytest.raises(BadKey):
            curve.from_coordinates(*bad)
    twist = [point for i in range(40) if off_curve(curve, point := b"\2" + i.to_bytes(size, "big"))]
    assert len(twist) > 5  # half of all x have no point
    for data in (
        b"",
        b"\0",
        public[1:],
        public + b"\0",
        b"\4" + x + y,
        b"\1" + x,
        b"\2" + b"\xff" * size,
        twist[0],
    ):
        with pytest.raises(BadKey):
            curve.coordinates(data)
        with pytest.raises(BadKey):
            (curve.agree or agree_by_name)(private(curve), data)


@pytest.mark.parametrize("name", EC)
def test_coordinates_may_lack_leading_zeros(name: str) -> None:
    """As Authlib writes them: one message in two of SICPA's on P-521, one in 128 on P-256."""
    curve = CURVES[name]
    publics = (curve.public_of(private(curve, seed)) for seed in range(2000))
    x, y = next(xy for public in publics if (xy := curve.coordinates(public))[0][0] == 0)
    assert curve.from_coordinates(x.lstrip(b"\0"), y) == curve.from_coordinates(x, y)
    with pytest.raises(BadKey):
        curve.from_coordinates(b"\0" + x, y)


def off_curve(curve: Curve, point: bytes) -> bool:
    try:
        curve.coordinates(point)
    except BadKey:
        return True
    return False


def agree_by_name(_private: bytes, public: bytes) -> bytes:
    """secp256k1 has no agreement here; its verification refuses the same points."""
    curve = CURVES["secp256k1"]
    assert curve.verify is not None
    curve.verify(public, bytes(64), b"")
    return b""


@pytest.mark.parametrize("name", ["Ed25519", "X25519"])
def test_keys_that_are_one_number(name: str) -> None:
    curve = CURVES[name]
    for x, y in ((b"", b""), (bytes(31), b""), (bytes(33), b""), (bytes(32), bytes(32))):
        with pytest.raises(BadKey):
            curve.from_coordinates(x, y)
