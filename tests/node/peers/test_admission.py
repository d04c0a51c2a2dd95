"""Who may come in: the table alone, without sockets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pico_node.peers.admission import Admission
from pico_node.peers.counters import Counters
from pico_node.peers.limits import PeerLimits

LIMITS = PeerLimits(half_open_max=4, inbound_max=5, inbound_per_ip_max=3, inbound_per_peer_max=2)


def table(wanted=()):
    return Admission(LIMITS, Counters(), lambda peer_id: peer_id in wanted)


def come(admission, peer_id, ip="192.0.2.1"):
    left = []
    ticket = admission.arrive(ip, lambda: left.append(peer_id))
    return ticket, admission.prove(ticket, peer_id), left


def test_the_oldest_silent_connection_gives_way():
    admission, left = table(), []
    for n in range(LIMITS.half_open_max + 3):
        admission.arrive("192.0.2.1", lambda n=n: left.append(n))
    assert left == [0, 1, 2]


def test_silent_connections_never_keep_a_proven_one_out():
    admission = table()
    for _ in range(100):
        admission.arrive("192.0.2.1", lambda: None)
    assert come(admission, "honest")[1]


def test_limits_by_address_and_in_total():
    admission = table()
    assert [come(admission, f"p{n}")[1] for n in range(4)] == [True, True, True, False]
    assert [come(admission, f"q{n}", "192.0.2.2")[1] for n in range(3)] == [True, True, False]
    assert admission.proven == LIMITS.inbound_max


def test_a_wanted_peer_is_let_in_and_a_stranger_leaves():
    admission = table(wanted={"friend"})
    strangers = [come(admission, f"s{n}", f"192.0.2.{n}") for n in range(5)]
    strangers[0][0].carries_session = True
    assert come(admission, "friend", "192.0.2.9")[1]
    assert [bool(left) for _, _, left in strangers] == [False, True, False, False, False]
    assert admission.proven == LIMITS.inbound_max


def test_a_peer_makes_room_for_itself_but_keeps_its_session():
    admission = table()
    first, _, left_first = come(admission, "p")
    first.carries_session = True
    _, _, left_second = come(admission, "p")
    assert come(admission, "p")[1]
    assert not left_first
    assert left_second == ["p"]


@given(st.lists(st.tuples(st.sampled_from(["come", "prove", "go"]), st.integers(0, 7)), max_size=200))
def test_the_table_never_exceeds_its_limits(steps):
    admission, tickets = table(wanted={"p0", "p1"}), []
    gone = set()

    def leaver(k: int):
        return lambda: gone.add(k)

    for step, n in steps:
        k = n % len(tickets) if tickets else 0
        if step == "come":
            tickets.append(admission.arrive(f"ip{n % 3}", leaver(len(tickets))))
        elif step == "prove" and tickets and k not in gone and not tickets[k].peer_id:
            if not admission.prove(tickets[k], f"p{n}"):
                gone.add(k)
        elif step == "go" and tickets:
            gone.add(k)
            admission.gone(tickets[k])
    assert len(admission._half_open) <= LIMITS.half_open_max
    proven = list(admission._proven)
    assert len(proven) <= LIMITS.inbound_max
    assert all(sum(t.peer_id == p.peer_id for t in proven) <= LIMITS.inbound_per_peer_max for p in proven)
    assert not {tickets.index(t) for t in proven} & gone
