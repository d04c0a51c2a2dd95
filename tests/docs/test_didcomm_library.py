"""The page about DIDComm as a library: its Python runs, its names are there."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pico_didcomm

PAGE = (Path(__file__).parents[2] / "docs" / "didcomm.md").read_text()


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 8
    module = ModuleType("didcomm_page")
    for block in blocks:  # the assertions are in the text
        exec(block, vars(module))


def test_every_way_to_pack_is_in_the_table() -> None:
    packs = {name for name in pico_didcomm.__all__ if name.startswith("pack_")}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == packs
