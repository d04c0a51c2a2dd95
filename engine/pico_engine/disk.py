"""How much room the disk has: with too little, picos keep no more than they do."""

from __future__ import annotations

from collections.abc import Callable

from pico_engine.errors import StoreFull


class DiskRoom:
    """What the driver says of the disk under the store; nothing is refused before it says something."""

    def __init__(self, free_min_bytes: int, became_full: Callable[[], None]) -> None:
        """`became_full` is called when there is too little room from now on."""
        self._free_min_bytes = free_min_bytes
        self._became_full = became_full
        self.is_full = False

    def has_free(self, count: int) -> None:
        """The disk has so many bytes free."""
        full = count < self._free_min_bytes
        if full and not self.is_full:
            self._became_full()
        self.is_full = full

    def check(self) -> None:
        """Raises StoreFull when picos must not keep more than they do."""
        if self.is_full:
            raise StoreFull(
                f"the disk has less than {self._free_min_bytes:,} bytes free (disk_free_min_bytes)"
            )
