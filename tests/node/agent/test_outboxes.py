"""Events that wait in outboxes: what is too old comes back, and the numbers behind it stay."""

from __future__ import annotations

import pytest

from tests.node.agent.net import Net


@pytest.mark.parametrize("crash", [False, True])
def test_after_a_week_an_event_comes_back_and_the_numbers_go_on(crash: bool) -> None:
    net = Net()
    net.meet()
    net.down()
    net.a.say(1)
    net.a.say(2)
    net.clock.days(3)
    net.a.say(3)
    net.clock.days(4.1)
    net.a.run()
    assert net.a.all()["returned"] == [{"n": 1, "code": "busy"}, {"n": 2, "code": "busy"}]
    net.clock.minutes(2)
    net.a.run()
    assert len(net.a.all()["returned"]) == 2, "told once"
    if crash:
        net.crash(net.a)
    net.up()
    net.a.say(4)
    net.calm()
    assert net.b.all()["heard"] == [3, 4]
    assert net.a.connection()["unacknowledged"] == 0


def test_an_expired_event_in_an_open_session_is_passed_without_a_new_one() -> None:
    net = Net()
    net.meet()
    net.a.say(1)
    net.a.mail.clear()
    for _ in range(8):
        net.clock.days(1)
        net.a.run()
        net.a.mail.clear()
    assert net.a.all()["returned"] == [{"n": 1, "code": "busy"}]
    net.calm()
    assert net.a.connection()["unacknowledged"] == 0
    net.a.say(2)
    net.calm()
    assert net.b.all()["heard"] == [2]
