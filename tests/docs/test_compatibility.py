"""docs/compatibility.md: every row has a test, which is named here; KRL's smaller ones are tested here."""

# ruff: noqa: E501 - names of tests are as long as they are

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pico_engine import Ruleset, rule, when
from pico_engine.api import PicoView
from pico_engine.harness import Harness
from pico_engine.krl import check
from tests.engine.krl.picos import Krl, ruleset, values

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "compatibility.md").read_text("utf-8")
HERE = "docs/test_compatibility.py"

SECTIONS_TESTED_WHOLE = {"KRL texts": "engine/krl/test_compatibility.py::test_what_is_refused"}
"""Sections whose tables are the data of one test."""

KRL, STDLIB, MODULES = "engine/krl/", "engine/krl/stdlib/test_differences.py::", "engine/krl/modules/"
BEHAVIOUR = f"{KRL}test_behaviour.py::test_answers_as_the_existing_engine"
RECORDED = f"{KRL}test_rulesets.py::test_answers_as_recorded_or_better"
WRANGLER, SUBSCRIPTION = "rulesets/test_wrangler.py::test_", "rulesets/test_subscription.py::test_"
COMPAT = "node/http/test_compat.py::test_"

TESTS: dict[str, dict[str, str]] = {
    "Engine": {
        "a rule that fails": "engine/test_turn.py::test_a_rule_that_fails_drops_its_own_doings_and_no_others",
        "`system:error`": "engine/test_turn.py::test_error_levels",
        "accepted events": "engine/test_engine.py::test_what_was_accepted_is_applied_exactly_once_wherever_it_crashes",
        "half-matched event expressions": "engine/test_engine.py::test_a_half_matched_expression_goes_on_after_a_restart",
        "ids of picos and channels": f"{HERE}::test_ids_have_colons",
        "order of rulesets": f"{HERE}::test_rulesets_keep_the_order_of_their_installation",
        "`last`": "engine/test_turn.py::test_last_stops_later_rules_of_its_ruleset_for_this_event_only",
        "an attribute or `where`": "engine/expressions/test_krl_cases.py::test_every_difference_names_a_case",
        "two picos that query each other": "engine/test_waiting.py::test_two_turns_that_would_wait_for_each_other",
        "removing one scheduled event": "engine/test_schedule.py::test_removing_one",
        "missed schedules": "engine/test_schedule.py::test_what_was_missed_while_the_node_was_down_fires_once",
        "finding a channel": f"{HERE}::test_a_channel_is_found_without_loading_other_picos",
        "a rule that never ends": "node/test_watchdog.py::test_an_endless_rule_is_interrupted_and_its_writes_are_dropped",
    },
    "HTTP": {
        "who may do what": "node/http/test_security.py::test_every_owners_route_needs_the_token",
        "listens on": "node/test_options.py::test_the_defaults_are_private",
        "CORS": "node/http/test_security.py::test_foreign_pages_are_refused",
        "errors of the node itself": f"{COMPAT}errors_in_the_strict_form",
        "`_headers`": f"{COMPAT}headers_become_an_attribute_without_secrets",
        "directives `_cookie`": f"{COMPAT}directives_cannot_set_cookies_or_redirect",
        "bodies": "node/http/test_limits.py::test_too_large_a_body",
    },
    "KRL rulesets": {
        "a runtime error": f"{KRL}test_instance.py::test_errors_say_file_line_and_column",
        "`raise … for RID`": f"{KRL}test_raising.py::test_for_a_ruleset_means_that_one_alone",
        '`schedule event "domain:type"`': f"{HERE}::test_a_scheduled_name_in_one_text_fires",
        "`schedule:remove(id)`": f"{KRL}test_raising.py::test_repeated_events_come_again_and_are_removed_alone",
        "`schedule:list()`": RECORDED,
        "`ent:m{key} := value`": f"{KRL}test_persistent.py::test_one_key_of_a_large_map_is_one_row",
        "a persistent value": f"{HERE}::test_what_json_cannot_hold_is_json_at_once",
        "the flag `m`": f"{HERE}::test_the_flag_m",
        "a module's function": RECORDED,
        "a shared name": f"{KRL}test_instance.py::test_a_shared_name_may_stand_for_another_function",
        "`error LEVEL`": RECORDED,
        "attributes in `__testing`": RECORDED,
        "`event:send` and": f"{MODULES}test_event.py::test_another_engine_is_told_over_http_when_that_is_allowed",
        "`http:…`": "engine/test_waiting.py::test_no_requests_without_a_port_that_allows_them_and_not_too_many",
        "`ctx:eventQuery`": f"{MODULES}test_ctx.py::test_what_was_told_stays_told_though_the_rule_fails",
        "`ctx:query` in a circle": "engine/test_waiting.py::test_a_query_that_comes_back_to_its_own_pico_is_refused",
        "`dido:pack`": f"{MODULES}test_dido.py::test_what_the_node_does_says_so_and_what_to_do_instead",
        "`dido:generateDID`": f"{MODULES}test_dido.py::test_what_the_node_does_says_so_and_what_to_do_instead",
        "`dido:updateDID`": f"{MODULES}test_dido.py::test_what_the_node_does_says_so_and_what_to_do_instead",
        "`dido:send`": f"{MODULES}test_dido.py::test_other_messages_go_to_the_port_which_knows_connections",
        "`dido:addRoute`": "node/agent/test_foreign.py::test_a_routed_message_becomes_its_event_once",
        "`dido:prepareQuery`": f"{MODULES}test_dido.py::test_queries_are_asked_and_failures_said_in_the_log",
        "`timestamp` of": f"{MODULES}test_ursa.py::test_signed_fields",
        "base64url, base58": f"{MODULES}test_ursa.py::test_what_does_not_fit_is_said",
        "`foreach` over a variable": BEHAVIOUR,
        "`foreach` over a function": BEHAVIOUR,
        "`meta:ruleName` in": BEHAVIOUR,
        "`where` in a compound": BEHAVIOUR,
        "an action's `setting(x)`": BEHAVIOUR,
        "`error error …`": BEHAVIOUR,
        "`ent:x` in the global block": BEHAVIOUR,
        "the global block": "engine/test_nesting.py::test_a_global_block_that_fails_later_fails_each_event",
        "`autosend` with": f"{MODULES}test_http.py::test_the_answer_is_sent",
        "`schedule … at` with": f"{KRL}test_raising.py::test_points_in_time",
        "`schedule … repeat` with": f"{HERE}::test_what_is_no_cron_expression_fails_its_rule",
        "`schedule` with attributes": f"{MODULES}test_schedule.py::test_attributes_that_are_no_map_fail_the_rule",
        "keys like numbers": f"{HERE}::test_keys_like_numbers_stay_where_they_came_to_be",
        "recursion, loops": f"{KRL}test_hostile.py::test_work_without_end",
    },
    "KRL standard library": {
        "what a text is made of": f"{STDLIB}test_answers",
        "`length` of a text": f"{STDLIB}test_answers",
        "half a character": f"{STDLIB}test_answers",
        "a regular expression with the flag `g`": f"{STDLIB}test_a_regular_expression_has_no_memory",
        "`replace` of nothing": f"{STDLIB}test_answers",
        "an action in the place": f"{STDLIB}test_an_action_is_no_function",
        "names that JavaScript gives": f"{STDLIB}test_answers",
        "`put` with `__proto__`": f"{STDLIB}test_answers",
        "`set` with `__proto__`": f"{STDLIB}test_answers",
        "`collect` with a group": f"{STDLIB}test_answers",
        "a map with the key `length`": f"{STDLIB}test_answers",
        "a function under the key `toJSON`": f"{STDLIB}test_answers",
        "`put` or `set` of a name": f"{STDLIB}test_answers",
        "`put` or `set` of an array's": f"{STDLIB}test_answers",
        "`delete`, `keys`": f"{STDLIB}test_answers",
        "a function as text": f"{STDLIB}test_answers",
        "work, memory": f"{STDLIB}test_there_are_limits",
    },
    "KRL regular expressions": {
        "one that finds": "engine/regex/test_regex.py::test_no_expression_runs_away",
        "very long or deep": "engine/regex/test_regex.py::test_any_pattern_works_or_is_refused",
        "an emoji": "engine/regex/test_regex.py::test_characters_beyond_the_basic_plane_are_one",
        "the flag `i`": "engine/regex/test_regex.py::test_answers_are_those_of_javascript",
    },
    "KRL modules `math`, `time` and `random`": {
        "`time:now()`": f"{MODULES}test_time.py::test_now_is_the_time_of_the_turn_in_utc",
        "`time:strftime`": f"{HERE}::test_answers_of_modules",
        "`time:add` with": f"{HERE}::test_answers_of_modules",
        "`24:00`": f"{HERE}::test_answers_of_modules",
        "`math:hashAlgorithms`": f"{MODULES}test_math.py::test_algorithms_that_python_does_not_have_everywhere_are_unknown",
        "the second parameter": f"{HERE}::test_answers_of_modules",
        "`random:word`": f"{MODULES}test_random.py::test_words",
        "`random:uuid`": f"{MODULES}test_random.py::test_ids_have_the_form_of_a_cuid_and_sort_by_time",
        "`random:*`": f"{MODULES}test_random.py::test_the_same_entropy_gives_the_same",
    },
    "Wrangler": {
        "ids": f"{WRANGLER}root_is_set_up",
        "install": f"{WRANGLER}url_that_names_a_ruleset_installs_it",
        "a URL whose ruleset": f"{WRANGLER}url_that_names_a_ruleset_installs_it",
        "the source of an": "engine/test_installing.py::test_it_survives_a_crash_and_is_compiled_only_when_needed",
        "modules": "engine/test_harness.py::test_krl_that_cannot_be",
        "a request with an attribute": f"{WRANGLER}what_cannot_be_installed_is_said",
        "what a rule did": "engine/test_turn.py::test_a_rule_that_fails_drops_its_own_doings_and_no_others",
        "`_headers` of": "rulesets/test_attributes.py::test_headers_are_not_passed_on",
        "new children": f"{WRANGLER}a_child_is_made_and_introduced",
        "`wrangler:new_child_created`": "rulesets/test_ui.py::test_without_compat_nobody_makes_picos_get_a_page",
        "`wrangler:ruleset_installed`": f"{WRANGLER}a_child_is_made_and_introduced",
        "root pico": f"{WRANGLER}root_created_is_taken_only_from_inside",
        "name": f"{WRANGLER}a_child_takes_another_name",
        "`children()`": f"{WRANGLER}a_child_is_made_and_introduced",
        "deleting a child": "engine/test_last_words.py::test_peers_of_a_deleted_pico_are_told",
        "`picoQuery`": f"{WRANGLER}queries_to_other_picos",
        "`skyQuery`": f"{WRANGLER}failed_queries_to_other_picos",
        "`rulesetMeta`": f"{WRANGLER}module_functions",
        "channels": "engine/test_channels.py::test_what_is_stored_and_what_is_shown",
        "`system:online`": f"{HERE}::test_nothing_of_the_built_in_rulesets_says",
    },
    "Subscription": {
        "who may use": f"{SUBSCRIPTION}only_the_other_side_may_use_the_channel",
        "an event on one": f"{SUBSCRIPTION}events_on_a_subscription_concern_only_that_one",
        "`wrangler:inbound_removal`": f"{SUBSCRIPTION}a_stranger_cannot_take_back_a_request_of_others",
        "a lost step": "rulesets/test_subscription_races.py::test_no_halves_are_left",
        "the channel of a subscription is deleted": f"{SUBSCRIPTION}deleted_channel_ends_its_subscription",
        "other engines": "rulesets/test_subscription_hosts.py::test_we_ask_and_they_approve",
        "`Tx_host` in": "rulesets/test_subscription_hosts.py::test_this_node_itself_is_no_other_engine",
        "the channel of a subscription with": f"{SUBSCRIPTION}with_compat_only_are_channels_of_subscriptions_open_over_http",
        "`event:send` to": "node/agent/test_hosts.py::test_what_is_too_old_comes_back",
        "the name when": f"{SUBSCRIPTION}request_is_pending_on_both_sides",
        "the same request": f"{SUBSCRIPTION}the_same_request_twice_is_one",
        "number of pending": f"{SUBSCRIPTION}pending_requests_are_limited",
        "`wrangler:send_event_on_subs`": f"{SUBSCRIPTION}send_event_on_subs",
        "`wrangler:send_event_to_subs`": f"{SUBSCRIPTION}receivers_cannot_be_chosen_from_outside",
        "`wrangler:intent_to_delete`": f"{SUBSCRIPTION}intent_to_delete",
        "`wrangler:cancel_subscriptions`": f"{SUBSCRIPTION}all_are_cancelled",
        "bad regular expressions": f"{SUBSCRIPTION}bad_auto_accept_configurations_are_refused",
        "regular expressions": "rulesets/test_auto_accept.py::test_patterns_match_only_what_is_short",
        "`wrangler:ruleset_needs_cleanup_period`": f"{HERE}::test_nothing_of_the_built_in_rulesets_says",
    },
}
"""Section → what a row begins with → its test."""


def rows(section: str) -> list[str]:
    """The first cells of a section's table."""
    part = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^-|\n](?:\\\||[^|\n])*) \|", part, re.MULTILINE)
    return [cell for cell in cells if cell != "what"]


SECTIONS = [
    one
    for one in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    if one not in SECTIONS_TESTED_WHOLE and rows(one)
]
ENTRIES = sorted(
    {*SECTIONS_TESTED_WHOLE.values(), *(test for told in TESTS.values() for test in told.values())}
)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_has_a_test(section: str) -> None:
    told, left = TESTS[section], rows(section)
    for begin in sorted(told, key=len, reverse=True):  # the longer ones are the more particular
        found = [row for row in left if row.startswith(begin)]
        assert len(found) == 1, (begin, found)
        left.remove(found[0])
    assert left == []


@pytest.mark.parametrize("test", ENTRIES)
def test_the_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    text = (ROOT / "tests" / file).read_text("utf-8")
    assert re.search(rf"^(async )?def {name or 'test_'}", text, re.MULTILINE)


# -- the smaller ones of KRL ----------------------------------------------------------------------------------


def test_rulesets_keep_the_order_of_their_installation() -> None:
    def saying(rid: str) -> str:
        return f'ruleset {rid} {{ rule r {{ select when a:b send_directive("{rid}") }} }}'

    pico = Harness(saying("zebra"), saying("ant"), saying("mouse"))
    assert pico.event("a:b").names == ["zebra", "ant", "mouse"]
    pico.restart()
    assert pico.event("a:b").names == ["zebra", "ant", "mouse"]


def test_a_channel_is_found_without_loading_other_picos() -> None:
    class Heard(Ruleset, rid="test.heard"):
        @rule(when("a:b"))
        def hear(self) -> None:
            self.directive("heard")

    pico = Harness(Heard)
    bench = pico.bench
    for number in range(20):
        made = bench.operate(
            pico.did, lambda one, number=number: one.engine.family.new_child(one, str(number), ["test.heard"])
        )
    channel = bench.operate(made["did"], lambda one: PicoView(one).new_channel()["id"])
    pico.restart()
    before = bench.engine.loaded_count
    assert bench.event(channel, "a:b", door="http").names == ["heard"]
    assert bench.engine.loaded_count - before <= 1


def test_a_scheduled_name_in_one_text_fires() -> None:
    text = """ruleset t { meta { shares n } global { n = function() { ent:n } }
      rule r { select when a:b fired { schedule event "c:d" at time:add(time:now(), {"minutes": 1}) } }
      rule s { select when c:d fired { ent:n := 1 } } }"""
    pico = Harness(text)
    pico.event("a:b")
    pico.wait(minutes=1)
    assert pico.query("t", "n") == 1


def test_what_json_cannot_hold_is_json_at_once() -> None:
    body = """global { it = function() { [ent:a.typeof(), ent:b, ent:c] } }
      rule r { select when a:b fired { ent:a := function() { 1 }; ent:b := {"x": null}; ent:c := re#x# } }"""
    krl = Krl(ruleset(body, "shares it"))
    krl.event("a:b")
    before = krl.query("it")
    krl.bench.restart()
    assert krl.query("it") == before
    assert before[0] != "Function"


def test_the_flag_m() -> None:
    assert values("<<a\nb>>.match(re#^b$#m)") is True
    assert values("<<a\nb>>.match(re#^b$#)") is False
    assert values("<<a\nb>>.extract(re#^(.)$#gm)") == ["a", "b"]
    assert values('<<a\nb>>.replace(re#^#gm, "> ")') == "> a\n> b"
    krl = Krl(ruleset("rule r { select when a:b x re#^b(.)$#m setting(y) send_directive(y) }"))
    assert krl.event("a:b", {"x": "a\nbc\nd"}).names == ["c"]
    assert krl.event("a:b", {"x": "a bc"}).names == []


def test_what_is_no_cron_expression_fails_its_rule() -> None:
    krl = Krl(ruleset('rule r { select when a:b fired { schedule a event "c" repeat "now and then" } }'))
    krl.event("a:b")
    assert len(krl.errors) == 1


def test_keys_like_numbers_stay_where_they_came_to_be() -> None:
    assert list(values('{"b": 1, "2": 1, "1": 1}')) == ["b", "2", "1"]
    assert values('{"b": 1, "2": 1, "1": 1}.keys()') == ["1", "2", "b"]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ('time:strftime("2026-01-31T12:00:00Z", "%H:%M %z")', "12:00 +0000"),
        (
            'time:add("2026-01-31", {"from": "2026-01-01", "to": "2026-01-03"}) == time:add("2026-01-31", {})',
            True,
        ),
        ('time:new("0099-12-31T24:00:00Z")', "0100-01-01T00:00:00.000Z"),
        ('math:base64encode("é", encoding = "latin1")', "6Q=="),
        ('math:base64decode("6Q==", encoding = "latin1")', "é"),
    ],
)
def test_answers_of_modules(expression: str, answer: Any) -> None:
    assert [one.message for one in check(ruleset(f"global {{ x = {expression} }}"))] == []
    assert values(expression) == answer


@pytest.mark.parametrize("word", ["system:online", "ruleset_needs_cleanup_period"])
def test_nothing_of_the_built_in_rulesets_says(word: str) -> None:
    for file in (ROOT / "rulesets" / "pico_rulesets").glob("*.py"):
        assert word not in file.read_text("utf-8")


def test_ids_have_colons() -> None:
    assert values("meta:picoId.split(re#:#).length()") == 3
    assert values('(meta:picoId + ":" + 7).extract(re#:([^:]*)$#).head()') == "7"
