"""For all tests: how long one example of a property takes is no matter of right or wrong."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("picomesh", deadline=None)
settings.load_profile("picomesh")
