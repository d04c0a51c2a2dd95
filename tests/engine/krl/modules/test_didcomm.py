"""The modules `dido` and `ursa` are known, and say why they do nothing."""

from __future__ import annotations

import pytest

from pico_engine.krl.modules.didcomm import DIDO, URSA
from tests.engine.krl.picos import Krl, ruleset


@pytest.mark.parametrize(
    ("domain", "name"), [*(("dido", one) for one in DIDO), *(("ursa", one) for one in URSA)]
)
def test_each_says_what_to_do(domain: str, name: str) -> None:
    krl = Krl(ruleset(f"rule r {{ select when a b {domain}:{name}(1) }}"))
    krl.event("a:b")
    assert f"{domain}:{name} is not available" in krl.errors[0]
    assert "picomesh connect" in krl.errors[0]
