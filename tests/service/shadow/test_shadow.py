"""A version in the shadow: agreement is counted row by row, and whatever it does, nobody waits."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import numpy as np
import pytest

from service.counting.counts import ShadowCounts
from service.inference import infer
from service.shadow.shadow import GATHER_SECONDS, MOST_ROWS, Shadow, rest_seconds
from service.signature import Signature, Tensor
from service.version import LoadedVersion
from tests.fakes import BREAK, FakeEngine, fake_version, pairs
from tests.polling import wait_until

MakeShadow = Callable[..., Shadow]
LONG_SHARE = 1e-4  # after 20 ms of work a rest of 200 s


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """Return the shadow's engine; let go at the end."""
    engine = FakeEngine()
    yield engine
    engine.may_go_on.set()


@pytest.fixture
def make(engine: FakeEngine) -> Iterator[MakeShadow]:
    """Return what makes a shadow, version 9, that never rests; ended when the test is over."""
    made = []

    def shadow(
        version: LoadedVersion | None = None,
        counts: ShadowCounts | None = None,
        max_queue_rows: int = 4096,
        share: float = 1.0,
    ) -> Shadow:
        version = version or fake_version(engine, number=9)
        made.append(Shadow(version, counts or ShadowCounts(), max_queue_rows, share, 0.01))
        return made[-1]

    yield shadow
    engine.may_go_on.set()
    for each in made:
        each.close()
        each.join(10.0)
        assert each._thread is None or not each._thread.is_alive()


def offer(shadow: Shadow, *answers: float, by: LoadedVersion | None = None, first: float = 1.0) -> None:
    """Offer rows whose sum is the answer, as a version like the shadow gives it."""
    rows = pairs(*((first, answer - first) for answer in answers))
    shadow.offer(by or LIVE, rows, {"predict": list(answers)})


LIVE = fake_version(number=1)


def counted(shadow: Shadow) -> int:
    """Return the rows that the thread is done with."""
    return sum(shadow._counts.compared.values())


def test_rows_that_agree_and_that_do_not(make: MakeShadow, engine: FakeEngine) -> None:
    """Each row is compared with its own answer and counted for the version that gave it."""
    shadow = make()
    shadow.offer(LIVE, pairs((1, 2), (3, 4), (5, 6)), {"predict": [3.0, 8.0, 11.05]})
    wait_until(lambda: counted(shadow) == 3)
    assert shadow._counts.compared == {("1", "agree"): 2, ("1", "disagree"): 1}
    assert engine.calls == [([[1, 2], [3, 4], [5, 6]], ("predict",))]
    assert sum(shadow._counts.inference_seconds.buckets) == 1
    assert not shadow._counts.dropped


def test_labels_have_no_tolerance(make: MakeShadow) -> None:
    """A classifier's labels are compared as they are, even where they are numbers close together."""
    labels = Signature(
        "tensor",
        (Tensor("x", "float64", (-1, 2)),),
        (Tensor("predict", "float64"),),
        (1000.0, 1001.0),
    )
    shadow = make(fake_version(FakeEngine(), number=9, signature=labels))
    shadow.offer(fake_version(signature=labels), pairs((1000, 0), (1000, 0)), {"predict": [1000, 1001]})
    wait_until(lambda: counted(shadow) == 2)
    assert shadow._counts.compared == {("1", "agree"): 1, ("1", "disagree"): 1}


def test_what_waits_goes_together(make: MakeShadow, engine: FakeEngine) -> None:
    """Rows that come during a call share the next one, but only those that one version answered."""
    shadow, other = make(), fake_version(number=2)
    engine.may_go_on.clear()
    offer(shadow, 1.0)
    assert engine.entered.wait(10)
    for answer in (2.0, 3.0):
        offer(shadow, answer)
    offer(shadow, 4.0, by=other)
    offer(shadow, 5.0)
    engine.may_go_on.set()
    wait_until(lambda: counted(shadow) == 5)
    assert [[sum(row) for row in rows] for rows, _ in engine.calls] == [[1], [2, 3], [4], [5]]
    assert shadow._counts.compared[("1", "agree")] == 4
    assert shadow._counts.compared[("2", "agree")] == 1


def test_a_call_has_no_more_rows_than_it_may(make: MakeShadow, engine: FakeEngine) -> None:
    """What would make a call too large waits for the next one."""
    shadow = make()
    engine.may_go_on.clear()
    offer(shadow, 1.0)
    assert engine.entered.wait(10)
    offer(shadow, *[2.0] * (MOST_ROWS - 1))
    offer(shadow, 3.0)
    offer(shadow, 4.0)
    engine.may_go_on.set()
    wait_until(lambda: counted(shadow) == MOST_ROWS + 2)
    assert [len(rows) for rows, _ in engine.calls] == [1, MOST_ROWS, 1]


def test_a_shadow_that_hangs_drops_rows(make: MakeShadow, engine: FakeEngine) -> None:
    """While a call hangs, as many rows wait as may; more are dropped at once, and later ones taken."""
    shadow = make(max_queue_rows=4)
    engine.may_go_on.clear()
    offer(shadow, 1.0)
    assert engine.entered.wait(10)
    offer(shadow, 2.0, 3.0)
    offer(shadow, 4.0, 5.0, 6.0)
    offer(shadow, 7.0, 8.0)
    offer(shadow, 9.0)
    assert shadow._counts.dropped == {"1": 4}
    assert counted(shadow) == 0
    engine.may_go_on.set()
    wait_until(lambda: counted(shadow) == 5)
    offer(shadow, 10.0, 11.0, 12.0, 13.0)
    wait_until(lambda: counted(shadow) == 9)
    assert shadow._counts.dropped == {"1": 4}


def test_a_shadow_that_fails(
    make: MakeShadow, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that fails counts with all its rows, is logged once a minute, and the next one works."""
    shadow = make()
    with caplog.at_level(logging.WARNING, "service.shadow.shadow"):
        for fails in range(1, 4):
            offer(shadow, 1.0, 2.0, first=BREAK)
            wait_until(lambda fails=fails: counted(shadow) == 2 * fails)
        offer(shadow, 3.0)
        wait_until(lambda: counted(shadow) == 7)
    assert shadow._counts.compared == {
        ("1", "failed"): 6,
        ("1", "agree"): 1,
        ("1", "disagree"): 0,
    }
    assert [each.getMessage() for each in caplog.records] == [
        "m version 9 fails as a shadow: RuntimeError: broken"
    ]


def columns(*names: str) -> LoadedVersion:
    """Return a version of a table with these columns."""
    inputs = tuple(Tensor(name, "float64") for name in names)
    return fake_version(signature=Signature("table", inputs, (Tensor("predict", "float64"),)))


@pytest.mark.parametrize("other", [columns("x"), columns("a", "b")])
def test_a_shadow_that_takes_other_rows(
    make: MakeShadow, engine: FakeEngine, other: LoadedVersion
) -> None:
    """Rows of another form are never shown to the shadow: it would take one column for another."""
    shadow = make()
    offer(shadow, 1.0, by=other)
    wait_until(lambda: counted(shadow) == 1)
    assert shadow._counts.compared == {("1", "failed"): 1}
    assert engine.calls == []


def test_too_few_answers_are_a_failure(make: MakeShadow) -> None:
    """A shadow that doesn't give a row each fails, instead of being compared with others' answers."""

    class Short(FakeEngine):
        def run(self, rows: Any, outputs: Any) -> dict[str, Any]:
            return {name: values[1:] for name, values in super().run(rows, outputs).items()}

    shadow = make(fake_version(Short(), number=9))
    offer(shadow, 2.0, 2.0)
    wait_until(lambda: counted(shadow) == 2)
    assert shadow._counts.compared == {("1", "failed"): 2}


def test_other_outputs_are_ignored(make: MakeShadow, engine: FakeEngine) -> None:
    """An answer without the first output has nothing to compare: it is neither run nor counted."""
    shadow = make()
    shadow.offer(LIVE, pairs((1, 2)), {"predict_proba": [[3.0, -3.0]]})
    offer(shadow, 1.0)
    wait_until(lambda: counted(shadow) == 1)
    assert engine.rows_computed == 1
    assert not shadow._counts.dropped


class Overwriting(FakeEngine):
    """Writes into its rows, as a scikit-learn step of somebody's own may."""

    name = "sklearn"

    def run(self, rows: Any, outputs: Any) -> dict[str, Any]:
        """Answer, then leave nothing of the rows."""
        answers = super().run(rows, outputs)
        rows.model_input()[:] = np.nan
        return answers


def test_live_and_shadow_see_the_same_rows(make: MakeShadow) -> None:
    """Neither version's writing into its rows is seen by the other one, nor into a request's memory."""
    memory = np.array([[1.0, 2.0]])
    memory.flags.writeable = False
    shadow = make(fake_version(Overwriting(), number=9))
    live = fake_version(Overwriting())
    live.shadow = shadow
    rows = pairs((1, 2))
    for given in (rows, type(rows)(memory)):
        answers = infer(live, ("predict",), [given]).outcomes[0]
        assert answers == {"predict": [3.0]}
        shadow.offer(live, given, answers)
    wait_until(lambda: counted(shadow) == 2)
    assert shadow._counts.compared == {("1", "agree"): 2, ("1", "disagree"): 0}


@pytest.mark.parametrize(
    ("worked", "share", "rest"),
    [(1.0, 0.25, 3.0), (0.1, 0.5, 0.1), (0.0, 0.5, GATHER_SECONDS), (5.0, 1.0, 0.0), (inf, 0.5, inf)],
)
def test_rest(worked: float, share: float, rest: float) -> None:
    """After work comes as much rest as makes the work its share, and time for rows to gather."""
    assert rest_seconds(worked, share) == pytest.approx(rest)


def test_it_rests_and_wakes_to_be_closed(make: MakeShadow, engine: FakeEngine) -> None:
    """During its rest nothing is taken, and closing ends the rest."""
    shadow = make(share=LONG_SHARE)
    engine.may_go_on.clear()
    offer(shadow, 1.0)
    assert engine.entered.wait(10)
    began = time.perf_counter()
    wait_until(lambda: time.perf_counter() - began > 0.02)
    offer(shadow, 2.0)
    engine.may_go_on.set()
    wait_until(lambda: counted(shadow) == 1)
    shadow.close()
    shadow.join(10)
    assert not shadow._thread.is_alive()
    assert engine.rows_computed == 1


def test_closed(make: MakeShadow, engine: FakeEngine) -> None:
    """A closed shadow starts no thread and drops what it is offered; closing may be repeated."""
    shadow = make()
    for _ in range(2):
        shadow.close()
    offer(shadow, 1.0)
    assert shadow._thread is None
    assert not shadow._waiting
    assert shadow._counts.dropped == {"1": 1}


def test_closed_during_a_call(make: MakeShadow, engine: FakeEngine) -> None:
    """A call that comes back after closing counts no more: the counts may have another owner."""
    shadow = make()
    engine.may_go_on.clear()
    offer(shadow, 1.0)
    assert engine.entered.wait(10)
    offer(shadow, 2.0)
    shadow.close()
    engine.may_go_on.set()
    shadow.join(10)
    assert counted(shadow) == 0
    assert engine.rows_computed == 1
    assert not shadow._waiting


class SeenLate(deque[Any]):
    """Seems empty at the first look: what it holds comes right after it."""

    looks = 0

    def __bool__(self) -> bool:
        self.looks += 1
        return self.looks > 1 and len(self) > 0


def test_an_offer_just_before_it_sleeps(make: MakeShadow, engine: FakeEngine) -> None:
    """What comes after the last look and before the flag that it sleeps wakes nobody, yet is seen."""
    shadow = make()
    shadow._waiting = SeenLate()
    shadow._asleep = False
    offer(shadow, 1.0)
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(shadow._is_offered()), daemon=True)
    thread.start()
    wait_until(lambda: seen == [True])
    thread.join()


def test_it_falls_asleep_and_wakes(make: MakeShadow, engine: FakeEngine) -> None:
    """Each offer wakes it, whether it sleeps or is about to: none is left lying."""
    shadow = make()
    for number in range(1, 2001):
        offer(shadow, 1.0)
        if number % 100 == 0:  # and many at the moment when it finds nothing more
            wait_until(lambda number=number: counted(shadow) == number)
    assert engine.rows_computed == 2000
