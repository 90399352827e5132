"""One step, on a stack of known capacity: the order of things, and what is found."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.generator import Plan
from loadtest.study.figures import objective_rate, peak
from loadtest.study.study import Step, Study
from tests.loadtest.sweep.fakes import (
    EACH,
    FakeCounts,
    FakeGenerator,
    FakeStack,
    fake_study,
    fake_sweep,
)


@pytest.fixture
def stack() -> Iterator[FakeStack]:
    """Return a stack whose replicas answer."""
    with FakeStack().answering() as running:
        yield running


def measured(stack: FakeStack, generator: FakeGenerator, folder: Path, study: Study) -> Step:
    """Measure a study and return its last step."""
    assert fake_sweep(stack, generator, study, folder).run()
    return study.steps[-1]


def purposes(step: Step) -> list[str]:
    """Return what each run was for, in order."""
    return [run.purpose for run in step.runs]


def test_order_of_things(stack: FakeStack, tmp_path: Path) -> None:
    """Quotas are off while replicas start, and on before anything is sent that counts."""
    generator = FakeGenerator(stack)
    cpus = []
    generator.on_plan = lambda plan: cpus.append(stack.cpus)
    step = measured(stack, generator, tmp_path, fake_study(3))
    assert stack.orders == ["limit None", "scale 3", "limit 0.2", "restore"]
    assert set(cpus) == {0.2}
    texts = [event.text for event in step.events]
    assert texts[:5] == [
        "scaling to 3", "ready", "every replica answers", "quota 0.2 CPUs each", "warm",
    ]  # fmt: skip
    assert texts[5:] == [text for text in texts if text.partition(" ")[0] in set(purposes(step))]
    assert [event.at for event in step.events] == sorted(event.at for event in step.events)
    order = ["saturation", "peak", "search", "objective"]
    assert purposes(step) == sorted(purposes(step), key=order.index)
    assert step.complete
    assert step.ready_seconds is not None


def test_without_a_quota(stack: FakeStack, tmp_path: Path) -> None:
    """Where none was asked for, none is set."""
    measured(stack, FakeGenerator(stack), tmp_path, fake_study(1, cpus=None))
    assert stack.orders == ["limit None", "scale 1", "restore"]


@pytest.mark.parametrize("replicas", [1, 2, 4, 8])
def test_finds_what_is_there(stack: FakeStack, tmp_path: Path, replicas: int) -> None:
    """The peak is the capacity, and the rate the highest notch at which p99 keeps the objective.

    By the model p99 is 5.2 ms times ln 100 / (1 - load): 50 ms allow a load of 0.52, ten notches.
    """
    step = measured(stack, FakeGenerator(stack), tmp_path, fake_study(replicas))
    most, within = peak(step), objective_rate(step)
    assert most is not None
    assert within is not None
    assert (most.median, most.runs) == (EACH * replicas, 2)
    assert (within.median, within.runs) == (EACH * replicas * 0.5, 2)


def test_no_number_is_used_twice(stack: FakeStack, tmp_path: Path) -> None:
    """Each plan begins where the one before ended, or a cache would answer it."""
    generator = FakeGenerator(stack)
    study = fake_study(1, 2)
    measured(stack, generator, tmp_path, study)
    for (_, end), (begin, _) in itertools.pairwise(generator.used):
        assert begin >= end
    assert study.next_number == generator.used[-1][1]


def test_given_connections_are_not_searched(stack: FakeStack, tmp_path: Path) -> None:
    """--connections is for each replica, and saves the search."""
    step = measured(stack, FakeGenerator(stack), tmp_path, fake_study(4, connections=16))
    assert "saturation" not in purposes(step)
    assert {run.connections for run in step.runs if run.purpose == "peak"} == {64}


def test_figures_have_the_servers_counts(stack: FakeStack, tmp_path: Path) -> None:
    """Runs that figures are made of have the stack's own counts, by X-Replica; others don't wait."""
    step = measured(stack, FakeGenerator(stack), tmp_path, fake_study(2))
    for run in step.runs:
        counted = run.purpose in ("peak", "objective")
        assert run.server.requests_by_replica == ({"r1": 7, "r2": 7} if counted else None)
        assert run.server.requests_at_the_door == (14 if counted else None)


def test_one_look_between_two_runs(
    stack: FakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repetitions share a look at Prometheus; after a run that isn't counted there is a new one."""
    begun: list[FakeCounts] = []
    monkeypatch.setattr(FakeCounts, "begin", lambda counts: begun.append(counts))
    measured(stack, FakeGenerator(stack), tmp_path, fake_study(2, repetitions=5))
    assert len(begun) == 2  # for the peak, and after the search


def test_missed_repetition_lowers_the_rate(stack: FakeStack, tmp_path: Path) -> None:
    """A repetition that misses the objective is no figure: all are measured at a lower rate."""
    generator = FakeGenerator(stack)
    generator.slower = lambda plan: plan.seconds == 2.0 and plan.rate == 500.0 and seen(plan)
    runs: list[Plan] = []

    def seen(plan: Plan) -> bool:
        runs.append(plan)
        return len(runs) == 3  # the probe passes, and so does the first repetition

    step = measured(stack, generator, tmp_path, fake_study(1))
    objective = [run.rate for run in step.runs if run.purpose == "objective"]
    assert objective == [450.0, 450.0]
    at_500 = [run.purpose for run in step.runs if run.rate == 500.0]
    assert at_500 == ["search"] * 3
    assert any("500/s missed the objective" in event.text for event in step.events)


@pytest.mark.parametrize(("hiccups", "found"), [(1, 500.0), (2, 450.0)])
def test_hiccup_is_tried_again(stack: FakeStack, tmp_path: Path, hiccups: int, found: float) -> None:
    """A rate that nearly kept the objective has a second try, and no third one."""
    generator = FakeGenerator(stack)
    asked: list[Plan] = []

    def slower(plan: Plan) -> bool:
        if plan.rate == 500.0:
            asked.append(plan)
        return plan.rate == 500.0 and len(asked) <= hiccups

    generator.slower, generator.slower_seconds = slower, 0.01
    step = measured(stack, generator, tmp_path, fake_study(1))
    assert {run.rate for run in step.runs if run.purpose == "objective"} == {found}
    assert len([run for run in step.runs if run.rate == 500.0]) == (4 if hiccups == 1 else 2)


def test_no_rate_keeps_the_objective(stack: FakeStack, tmp_path: Path) -> None:
    """Where even a twentieth of the peak is too slow, the step says so and has a peak alone."""
    generator = FakeGenerator(stack)
    generator.slower = lambda plan: True
    step = measured(stack, generator, tmp_path, fake_study(1))
    assert objective_rate(step) is None
    assert peak(step) is not None
    assert step.events[-1].text == "no rate of arrivals keeps the objective"
    assert step.complete
