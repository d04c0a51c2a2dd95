"""Errors of simulations say something."""

from __future__ import annotations

import pytest

from pico_simnet.errors import BadScenario, InvariantBroken, NotQuiet, SimulationError


@pytest.mark.parametrize("kind", [SimulationError, InvariantBroken, NotQuiet, BadScenario])
def test_no_error_is_empty(kind) -> None:
    error = kind()
    assert error.code in str(error)
    assert error.what
    assert error.hint
    assert "what happened" in str(kind("what happened"))
