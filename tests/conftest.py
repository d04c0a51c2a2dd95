"""For all tests: how long one example of a property takes is no matter of right or wrong."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("picomesh", deadline=None)
# for running the same tests a second time, on another Python: --hypothesis-profile quick
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("picomesh")
