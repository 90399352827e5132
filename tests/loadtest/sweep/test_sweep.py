"""A sweep as a whole: it is left, taken up again, and fails, and the stack is as it was each time."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.errors import Refused
from loadtest.generator import Plan
from loadtest.study.folder import load
from loadtest.study.study import Study
from tests.loadtest.sweep.fakes import FakeGenerator, FakeStack, fake_study, fake_sweep


@pytest.fixture
def stack() -> Iterator[FakeStack]:
    """Return a stack of two replicas, which answer."""
    with FakeStack(replicas=2).answering() as running:
        yield running


@contextmanager
def handled(number: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    """Have a signal handled in one way while the context lasts, however these tests were started."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def as_found(stack: FakeStack) -> bool:
    """Tell whether the stack is as it was."""
    return stack.orders[-1] == "restore" and stack.replicas() == ["r1", "r2"] and stack.cpus is None


def stop_at(generator: FakeGenerator, plans: int, number: signal.Signals = signal.SIGINT) -> None:
    """Send this process a signal when the generator gets a plan of that number."""

    def on_plan(plan: Plan) -> None:
        if len(generator.plans) == plans:
            os.kill(os.getpid(), number)

    generator.on_plan = on_plan


def shape(study: Study) -> list[tuple]:
    """Return what was measured, without when."""
    return [
        (step.replicas, run.purpose, run.repetition, run.connections, run.rate, run.ok)
        for step in study.steps
        for run in step.runs
    ]


def test_to_its_end(stack: FakeStack, tmp_path: Path) -> None:
    """All steps are measured, the study on disk is the same and finished, and the stack as it was."""
    study = fake_study(1, 2, 4)
    assert fake_sweep(stack, FakeGenerator(stack), study, tmp_path).run()
    assert as_found(stack)
    assert study.finished
    assert [(step.replicas, step.complete) for step in study.steps] == [(1, True), (2, True), (4, True)]
    assert load(tmp_path) == study


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped(stack: FakeStack, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, kill and a closed terminal drop the run under way; the others are kept, on disk too."""
    study, generator = fake_study(1, 2), FakeGenerator(stack)
    stop_at(generator, 9, number)
    with handled(number, signal.SIG_DFL):
        assert not fake_sweep(stack, generator, study, tmp_path).run()
        assert signal.getsignal(number) is signal.SIG_DFL
    assert as_found(stack)
    assert study.finished is None
    assert len(shape(study)) == 7  # of nine plans one was the warm-up, and one was stopped
    assert load(tmp_path) == study


def test_under_nohup(stack: FakeStack, tmp_path: Path) -> None:
    """Who asked that a closed terminal ends nothing gets the whole study."""
    study, generator = fake_study(1), FakeGenerator(stack)
    stop_at(generator, 5, signal.SIGHUP)
    with handled(signal.SIGHUP, signal.SIG_IGN):
        assert fake_sweep(stack, generator, study, tmp_path).run()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert study.finished


def test_stopped_twice(stack: FakeStack, tmp_path: Path) -> None:
    """A second and a third Ctrl-C, while the stack is put back, change nothing."""
    study, generator = fake_study(1, 2), FakeGenerator(stack)
    stop_at(generator, 9)

    def impatient() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    stack.on_restore = impatient
    assert not fake_sweep(stack, generator, study, tmp_path).run()
    assert as_found(stack)
    assert load(tmp_path) == study


def test_stopped_while_it_is_put_back(stack: FakeStack, tmp_path: Path) -> None:
    """A Ctrl-C after the last run comes too late: the study is finished, and the stack as it was."""
    stack.on_restore = lambda: os.kill(os.getpid(), signal.SIGINT)
    assert fake_sweep(stack, FakeGenerator(stack), fake_study(1), tmp_path).run()
    assert as_found(stack)


@pytest.mark.parametrize("stopped_at", range(2, 24))
def test_resumed(stack: FakeStack, tmp_path: Path, stopped_at: int) -> None:
    """Wherever it was stopped: what it then measures is what it lacked, and the whole is the same."""
    whole = fake_study(1, 2)
    all_plans = FakeGenerator(stack)
    assert fake_sweep(stack, all_plans, whole, tmp_path / "whole").run()
    first = FakeGenerator(stack)
    stop_at(first, stopped_at)
    study = fake_study(1, 2)
    assert not fake_sweep(stack, first, study, tmp_path / "parts").run()
    had = len(shape(study))
    second = FakeGenerator(stack)
    study = load(tmp_path / "parts")
    assert fake_sweep(stack, second, study, tmp_path / "parts").run()
    assert shape(study) == shape(whole)
    warm_ups = len({plan.connections for plan in second.plans if plan.seconds == 3.0})
    assert len(second.plans) == len(shape(whole)) - had + warm_ups
    assert min(plan.first_number for plan in second.plans) > max(
        plan.first_number for plan in first.plans
    )


def test_resumed_after_a_rate_was_lowered(stack: FakeStack, tmp_path: Path) -> None:
    """A repetition that missed the objective isn't tried again at that rate."""
    generator = FakeGenerator(stack)
    generator.slower = lambda plan: plan.seconds == 2.0 and plan.rate == 500.0 and missed(plan)
    asked: list[Plan] = []

    def missed(plan: Plan) -> bool:
        asked.append(plan)
        return len(asked) == 3

    study = fake_study(1, 2)
    stop_at(generator, 22)
    assert not fake_sweep(stack, generator, study, tmp_path).run()
    assert study.steps[0].complete
    study.steps[0].complete = False  # as if it had been stopped right before that
    second = FakeGenerator(stack)
    assert fake_sweep(stack, second, study, tmp_path).run()
    assert 500.0 not in {plan.rate for plan in second.plans}
    assert {run.rate for run in study.steps[0].runs if run.purpose == "objective"} == {450.0}


def test_lost_replica(stack: FakeStack, tmp_path: Path) -> None:
    """A replica that ends during a run: the step says so, without that run, and the next one begins."""
    study, generator = fake_study(2, 4), FakeGenerator(stack)

    def on_plan(plan: Plan) -> None:
        stack.lost = {"r2"} if len(generator.plans) == 4 else set()

    generator.on_plan = on_plan
    assert fake_sweep(stack, generator, study, tmp_path).run()
    failed, whole = study.steps
    assert (failed.complete, whole.complete) == (False, True)
    assert failed.findings[0].verdict == "refused"
    assert "r2 ended during a run" in failed.findings[0].text
    assert len(failed.runs) == 2
    assert as_found(stack)


def test_restarted_part(stack: FakeStack, tmp_path: Path) -> None:
    """A part that ended and is back by itself, under the same name, spoils its run as well."""
    study, generator = fake_study(2, 4), FakeGenerator(stack)
    stack.pids = {"nginx": 10, "r1": 11}

    def on_plan(plan: Plan) -> None:
        stack.pids["nginx"] = 10 + (len(generator.plans) >= 4)

    generator.on_plan = on_plan
    assert fake_sweep(stack, generator, study, tmp_path).run()
    assert [step.complete for step in study.steps] == [False, True]
    assert "nginx ended during a run" in study.steps[0].findings[0].text


def test_two_failures_in_a_row(stack: FakeStack, tmp_path: Path) -> None:
    """What fails twice has a reason: the sweep ends with it, and the stack is as it was."""

    def on_scale(replicas: int) -> None:
        raise Refused("no room")

    stack.on_scale = on_scale
    study = fake_study(1, 2, 4)
    with pytest.raises(Refused, match=r"2 steps in a row .*no room"):
        fake_sweep(stack, FakeGenerator(stack), study, tmp_path).run()
    assert as_found(stack)
    assert len(load(tmp_path).steps) == 2


def test_any_error_leaves_the_stack_as_it_was(stack: FakeStack, tmp_path: Path) -> None:
    """Even one that nobody thought of."""
    generator = FakeGenerator(stack)

    def on_plan(plan: Plan) -> None:
        raise ZeroDivisionError

    generator.on_plan = on_plan
    with pytest.raises(ZeroDivisionError):
        fake_sweep(stack, generator, fake_study(1), tmp_path).run()
    assert as_found(stack)


def test_stack_that_cannot_be_put_back(stack: FakeStack, tmp_path: Path) -> None:
    """That is said, with the reason, and the study is kept."""

    def on_restore() -> None:
        raise Refused("the engine is gone")

    stack.on_restore = on_restore
    study = fake_study(1)
    with pytest.raises(Refused, match="could not be put back as it was: the engine is gone"):
        fake_sweep(stack, FakeGenerator(stack), study, tmp_path).run()
    assert load(tmp_path).steps == study.steps
