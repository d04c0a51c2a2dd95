"""Picos on disk: a LevelDB directory that one process has at a time, its backup, check and repair."""

from pico_node.store.level import LevelStore
from pico_node.store.upkeep import Findings, repair

__all__ = ["LevelStore", "Findings", "repair"]
