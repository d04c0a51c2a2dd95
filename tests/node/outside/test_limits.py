"""The limits of requests to the world outside fit each other and those of the engine."""

from __future__ import annotations

from pico_engine.limits import EngineLimits
from pico_node.outside.limits import OutsideLimits


def test_a_turn_hears_why_its_request_failed_before_it_gives_up() -> None:
    assert OutsideLimits().request_max_s * 1_000 < EngineLimits().wait_max_ms


def test_what_one_turn_may_send_fits_into_the_line() -> None:
    engine, outside = EngineLimits(), OutsideLimits()
    assert outside.line_per_pico_max >= max(engine.sends_max, engine.outside_calls_max)
    assert outside.open_per_pico_max < outside.open_max


def test_a_ruleset_of_the_largest_size_can_be_fetched() -> None:
    assert OutsideLimits().answer_max_bytes >= EngineLimits().ruleset_max_bytes
