"""The cost gate: look-ups where they pay, none where they don't, and a look now and then."""

import pytest

from service.gate import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    TRIAL_ROWS,
    TRIAL_SPACING_SECONDS,
    CacheGate,
    CacheMode,
)

LOOKUP_SECONDS = 100e-6
CHEAP, DEAR = 5e-6, 7e-3


def ask(gate: CacheGate, found: float, now: float, rows: int = TRIAL_ROWS) -> float:
    """Ask for rows one after the other, as far apart as a trial's look-ups; return when that is done.

    Of those that the gate lets through the share `found` is in Redis.
    """
    looked = 0
    for _ in range(rows):
        if gate.lets_through(now):
            looked += 1
            gate.looked_up(1, int(looked * found) - int((looked - 1) * found), LOOKUP_SECONDS, now)
        now += TRIAL_SPACING_SECONDS
    return now


@pytest.mark.parametrize(
    ("compute_seconds", "found", "pays"),
    [
        (CHEAP, 1.0, False),  # even where all of them are found
        (DEAR, 1.0, True),
        (DEAR, 0.0, False),  # nobody asks twice
        (DEAR, 0.05, True),  # 0.05 * 7 ms against 0.2 ms
        (DEAR, 0.015, False),
    ],
)
def test_auto(compute_seconds: float, found: float, pays: bool) -> None:
    """Rows are looked up where what is found saves more than looking and storing cost."""
    gate = CacheGate("auto", compute_seconds)
    now = ask(gate, found, 0.0)
    assert gate.pays() is pays
    assert gate.open is pays
    assert gate.lets_through(now) is pays


@pytest.mark.parametrize(("compute_seconds", "opens"), [(CHEAP, False), (DEAR, True), (None, True)])
def test_at_first(compute_seconds: float | None, opens: bool) -> None:
    """What is obviously too cheap begins with a trial, the rest with look-ups."""
    assert CacheGate("auto", compute_seconds).open is opens


def test_chance_does_not_decide() -> None:
    """Before enough rows have been seen the gate stays open."""
    gate = CacheGate("auto", DEAR)
    now = ask(gate, 0.0, 0.0, TRIAL_ROWS - 1)
    assert gate.open
    ask(gate, 0.0, now, 1)
    assert not gate.open


def test_a_trial_is_spread_out() -> None:
    """A trial's look-ups are some time apart, however many ask meanwhile."""
    gate = CacheGate("auto", CHEAP)
    assert gate.lets_through(1.0)
    assert not gate.lets_through(1.0)
    assert not gate.lets_through(1.0 + 0.9 * TRIAL_SPACING_SECONDS)
    assert gate.lets_through(1.0 + 1.1 * TRIAL_SPACING_SECONDS)


def test_a_closed_gate_looks_again() -> None:
    """After a pause some rows are let through; what they show decides, not what was before."""
    gate = CacheGate("auto", DEAR)
    closed = ask(gate, 0.0, 0.0)
    assert not gate.lets_through(closed + 0.9 * FIRST_PAUSE_SECONDS)
    later = closed + FIRST_PAUSE_SECONDS
    assert gate.lets_through(later)
    assert not gate.open
    ask(gate, 1.0, later + 1.0)
    assert gate.open
    assert gate.hit_rate == 1.0


def test_pauses_get_longer() -> None:
    """A gate that finds again and again that it doesn't pay looks less and less often, but looks."""
    gate, now, pauses = CacheGate("auto", CHEAP), 0.0, []
    for _ in range(8):
        now = ask(gate, 1.0, now)
        begin = now
        while not gate.lets_through(now):
            now += 1.0
        pauses.append(now - begin)
        now += TRIAL_SPACING_SECONDS
    assert pauses[0] == pytest.approx(FIRST_PAUSE_SECONDS, abs=1.0)
    assert pauses[1] == pytest.approx(2 * FIRST_PAUSE_SECONDS, abs=1.0)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_SECONDS, abs=1.0)


def test_hits_that_end_close_it() -> None:
    """A gate that was right to be open notices when clients no longer ask for the same rows."""
    gate = CacheGate("auto", DEAR)
    now = ask(gate, 1.0, 0.0)
    assert gate.open
    ask(gate, 0.0, now, 30_000)
    assert not gate.open


def test_what_computing_costs_is_learned() -> None:
    """The engine's own calls correct what was measured when the version was published."""
    gate = CacheGate("auto", DEAR)
    for _ in range(200):
        gate.computed(32 * CHEAP, 32)
    assert gate.compute_seconds == pytest.approx(CHEAP, rel=0.1)
    ask(gate, 1.0, 0.0)
    assert not gate.open


def test_unknown_cost_is_no_reason_to_close() -> None:
    """As long as nothing is known of the engine, rows are looked up."""
    gate = CacheGate("auto")
    ask(gate, 0.0, 0.0)
    assert gate.open


def test_always_and_off() -> None:
    """What is set by hand isn't weighed."""
    always, off = CacheGate("always", CHEAP), CacheGate("off", DEAR)
    ask(always, 0.0, 0.0)
    assert always.lets_through(0.0)
    assert not off.lets_through(1e9)


def test_the_decision_in_words() -> None:
    """Whoever asks learns what is done and from which figures."""
    gate = CacheGate("auto", CHEAP)
    assert gate.describe() == "auto: nothing looked up yet"
    ask(gate, 0.5, 0.0)
    assert gate.describe() == (
        "auto: bypassed; a look-up costs 100 µs, computing 5 µs, 50% of rows found"
    )
    assert CacheGate("off", CHEAP).describe() == "off"


def test_a_new_version_needs_no_trial_of_its_own() -> None:
    """Where the version before has just found that it doesn't pay, the next one doesn't try at once."""
    before, cheap = CacheGate("auto", 10e-6), CacheGate("auto", 10e-6)
    for row in range(TRIAL_ROWS):
        now = row * 2 * TRIAL_SPACING_SECONDS
        assert before.lets_through(now)
        before.looked_up(1, 0, 80e-6, now)
    assert cheap.lets_through(now), "a version without a predecessor tries"
    after = CacheGate("auto", 10e-6)
    after.succeed(before)
    assert after.lookup_seconds == 80e-6
    assert not after.lets_through(now)
    assert not after.lets_through(now + FIRST_PAUSE_SECONDS / 2)
    assert after.lets_through(now + FIRST_PAUSE_SECONDS)


@pytest.mark.parametrize(("before", "after"), [("always", "auto"), ("auto", "always")])
def test_another_decision_is_not_inherited(before: CacheMode, after: CacheMode) -> None:
    """A gate that is open stays open, and one of a version that is looked up tries by itself."""
    gate = CacheGate(after, 10e-6)
    gate.succeed(CacheGate(before, 10e-6))
    assert gate.lets_through(0.0)
