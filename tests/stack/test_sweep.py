"""A sweep of a real stack: figures that add up, a stack that is as it was, and a Ctrl-C in between."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from deploy.local.supervisor import wait_until
from loadtest.study.folder import STUDY, load
from loadtest.study.study import Run, Step
from tests.stack.containers import ROOT, ComposeStack, inspect
from tests.stack.stack import Stack

CPUS = 0.2
# So few connections make a peak below what there is, so that the search is short.
TINY = ("--seconds", "1", "--repetitions", "2", "--connections", "2", "--objective-ms", "500")


def words(stack: Stack, results: Path, *more: str) -> list[str]:
    """Return the arguments of a tiny sweep."""
    kind = ["--stack", "local"]
    if isinstance(stack, ComposeStack):
        kind = ["--stack", "docker", "--cpus", str(CPUS)]
    return ["sweep", "--replicas", "1,2", *TINY, *kind, "--results", str(results), *more]


def quotas(stack: Stack) -> Counter[int]:
    """Return how many replicas have which quota, in billionths of a CPU; 0 without containers."""
    if not isinstance(stack, ComposeStack):
        return Counter(0 for _ in stack.replicas())
    return Counter(inspect(name)["HostConfig"]["NanoCpus"] for name in stack.replicas())


def assert_adds_up(step: Step, run: Run) -> None:
    """Check a run's counts against each other, and a peak's against what the stack has counted.

    An open loop may ask for more than there is, and is then refused here and there.
    """
    assert run.ok > 0
    assert run.sent == run.ok + run.failed + run.lost
    assert sum(run.by_replica.values()) == run.ok + run.failed
    assert sum(second.ok for second in run.by_second) == run.ok
    if run.purpose == "peak":
        assert (run.sent, run.failures) == (run.ok, [])
        assert run.server.requests_by_replica == run.by_replica
        assert run.server.requests_at_the_door == run.sent
        assert len(run.by_replica) == step.replicas


def test_tiny_sweep(stack: Stack, tmp_path: Path) -> None:
    """Peak and rate within the objective for one and two replicas; counts add up, quotas held."""
    before, other = quotas(stack), others(stack)
    said = stack.flotilla(*words(stack, tmp_path, "--name", "tiny", "--no-report"))
    assert quotas(stack) == before
    assert others(stack) == other
    study = load(tmp_path / "tiny")
    assert study.finished
    assert [(step.replicas, step.complete) for step in study.steps] == [(1, True), (2, True)]
    for step in study.steps:
        purposes = Counter(run.purpose for run in step.runs)
        assert (purposes["peak"], purposes["objective"]) == (2, 2)
        for run in step.runs:
            assert_adds_up(step, run)
            assert run.server.parts is not None
            assert set(run.server.parts) == {"nginx", "redis", *(set(run.by_replica) - {""})}
            if isinstance(stack, ComposeStack):
                replicas = set(run.server.parts) - {"nginx", "redis"}
                assert {run.server.parts[name].quota_cpus for name in replicas} == {CPUS}
    assert study.hardware["cores"]
    assert "efficiency" in said


def others(stack: Stack) -> set[str]:
    """Return the containers that aren't replicas."""
    if not isinstance(stack, ComposeStack):
        return set()
    return set(stack.containers()) - stack.replicas()


def test_interrupted_sweep(stack: Stack, tmp_path: Path) -> None:
    """Ctrl-C during a run: exit code 130, the stack as it was, what was measured kept, how to go on."""
    before = quotas(stack)
    command = [sys.executable, "-m", "deploy", *words(stack, tmp_path, "--name", "left", "--no-report")]
    printed = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=stack.environment, **printed) as process:
        try:
            assert wait_until(lambda: (tmp_path / "left" / STUDY).exists(), 90)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=90)
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert "flotilla sweep --resume left goes on" in said
    assert "Traceback" not in said
    assert quotas(stack) == before
    study = load(tmp_path / "left")
    assert study.finished is None
    assert study.steps[0].runs[0].ok > 0
    again = stack.flotilla("sweep", "--results", str(tmp_path), "--resume", "--dry-run")
    assert "2 replicas: about" in again
