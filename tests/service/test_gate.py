"""The cost gate: look-ups where they pay, none where they don't, and a look now and then."""

import pytest

from service.gate import SECONDS_BETWEEN_TRIALS, TRIAL_ROWS, CacheGate

LOOKUP_SECONDS = 100e-6
CHEAP, DEAR = 5e-6, 7e-3


def trial(gate: CacheGate, hits: int, now: float = 0.0, rows: int = TRIAL_ROWS) -> None:
    """Look up so many rows one by one, the first `hits` of which are found."""
    for row in range(rows):
        gate.looked_up(1, int(row < hits), LOOKUP_SECONDS, now)


@pytest.mark.parametrize(
    ("compute_seconds", "hits", "pays"),
    [
        (CHEAP, TRIAL_ROWS, False),  # even where all of them are found
        (DEAR, TRIAL_ROWS, True),
        (DEAR, 0, False),  # nobody asks twice
        (DEAR, TRIAL_ROWS // 20, True),  # 0.05 * 7 ms against 0.2 ms
        (DEAR, TRIAL_ROWS // 60, False),
    ],
)
def test_auto(compute_seconds: float, hits: int, pays: bool) -> None:
    """Rows are looked up where what is found saves more than looking and storing cost."""
    gate = CacheGate("auto", compute_seconds)
    trial(gate, hits)
    assert gate.pays() is pays
    assert gate.lets_through(0.0) is pays


def test_chance_does_not_decide() -> None:
    """Before enough rows have been seen the gate stays open."""
    gate = CacheGate("auto", DEAR)
    trial(gate, 0, rows=TRIAL_ROWS - 1)
    assert gate.lets_through(0.0)
    trial(gate, 0, rows=1)
    assert not gate.lets_through(0.0)


def test_a_closed_gate_looks_again() -> None:
    """After a while some rows are let through; what they show decides, not what was before."""
    gate = CacheGate("auto", DEAR)
    trial(gate, 0)
    soon, later = SECONDS_BETWEEN_TRIALS - 0.1, SECONDS_BETWEEN_TRIALS + 0.1
    assert not gate.lets_through(soon)
    assert gate.lets_through(later)
    trial(gate, TRIAL_ROWS, later)
    assert gate.lets_through(later)
    assert gate.hit_rate == 1.0


def test_a_trial_that_fails_closes_again() -> None:
    """Where a trial finds nothing, the gate is closed until the next one."""
    gate = CacheGate("auto", DEAR)
    trial(gate, 0)
    assert gate.lets_through(SECONDS_BETWEEN_TRIALS)
    trial(gate, 0, SECONDS_BETWEEN_TRIALS)
    assert not gate.lets_through(SECONDS_BETWEEN_TRIALS + 0.1)


def test_hits_that_end_close_it() -> None:
    """A gate that was right to be open notices when clients no longer ask for the same rows."""
    gate = CacheGate("auto", DEAR)
    trial(gate, TRIAL_ROWS)
    assert gate.lets_through(0.0)
    trial(gate, 0, rows=30_000)
    assert not gate.lets_through(0.0)


def test_what_computing_costs_is_learned() -> None:
    """The engine's own calls correct what was measured when the version was published."""
    gate = CacheGate("auto", DEAR)
    for _ in range(200):
        gate.computed(32 * CHEAP, 32)
    assert gate.compute_seconds == pytest.approx(CHEAP, rel=0.1)
    trial(gate, TRIAL_ROWS)
    assert not gate.lets_through(0.0)


def test_unknown_cost_is_no_reason_to_close() -> None:
    """As long as nothing is known of the engine, rows are looked up."""
    gate = CacheGate("auto")
    trial(gate, 0)
    assert gate.lets_through(0.0)


def test_always_and_off() -> None:
    """What is set by hand isn't weighed."""
    always, off = CacheGate("always", CHEAP), CacheGate("off", DEAR)
    trial(always, 0)
    assert always.lets_through(0.0)
    assert not off.lets_through(1e9)


def test_the_decision_in_words() -> None:
    """Whoever asks learns what is done and from which figures."""
    gate = CacheGate("auto", CHEAP)
    assert gate.describe() == "auto: nothing looked up yet"
    trial(gate, TRIAL_ROWS // 2)
    assert gate.describe() == (
        "auto: bypassed; a look-up costs 100 µs, computing 5 µs, 49% of rows found"
    )
    assert CacheGate("off", CHEAP).describe() == "off"
