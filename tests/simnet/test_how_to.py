"""The guide: its example runs, and it names every option and scenario."""

from __future__ import annotations

import re
from pathlib import Path

from pico_simnet.__main__ import _parser
from pico_simnet.runs import SCENARIOS

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "simulate.md").read_text()


def test_the_example_runs() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(program, "simulate.md", "exec"), {})


def test_every_option_and_scenario_is_in_the_guide() -> None:
    for action in _parser()._actions:
        for option in action.option_strings:
            assert option in GUIDE or option in ("-h", "--help")
    for name in SCENARIOS:
        assert f"`{name}`" in GUIDE
