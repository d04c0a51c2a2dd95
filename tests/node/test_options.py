"""The defaults of a start: nobody gets in unasked."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from pico_node.names import HTTP_PORT_DEFAULT
from pico_node.options import UpOptions


def test_the_defaults_are_private() -> None:
    options = UpOptions(Path("/nowhere"))
    assert options.http == ("127.0.0.1", HTTP_PORT_DEFAULT)
    assert options.listen == options.bootstrap == options.allowed_hosts == ()
    assert not options.open_metrics


def test_options_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        UpOptions(Path("/nowhere")).open_metrics = True  # type: ignore[misc]
