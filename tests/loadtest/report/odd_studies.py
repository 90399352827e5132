"""Studies in which something is missing, or everything is odd: a report has to be written for each."""

from loadtest.study.study import Event, Finding, Run, Server, Step, Study
from tests.loadtest.studies import make_study

HOSTILE = '<script>alert(1)</script> & "quotes" | $x_1$ --> \x07 ✂ [a](javascript:b) `c`'
REFUSED = Finding("generator", "refused", "the generator's busiest process used 99 % of a core")


def runs(study: Study) -> list[Run]:
    """Return all runs of a study."""
    return [run for step in study.steps for run in step.runs]


def nothing() -> Study:
    """Return a study that was stopped before its first step."""
    study = make_study((1, 2))
    study.steps, study.finished = [], None
    return study


def without_runs() -> Study:
    """Return a study whose only step never came to its first run."""
    study = nothing()
    study.steps = [Step(replicas=1, events=[Event(study.created, "scaling to 1")])]
    return study


def interrupted() -> Study:
    """Return a study that was stopped in the midst of its second step."""
    study = make_study((1, 2, 4))
    study.steps, study.finished = study.steps[:2], None
    study.steps[1].runs, study.steps[1].complete = study.steps[1].runs[:2], False
    return study


def one_step() -> Study:
    """Return a study of one step."""
    return make_study((2,))


def all_refused() -> Study:
    """Return a study in which no run may be believed."""
    study = make_study((1, 2))
    for run in runs(study):
        run.findings.append(REFUSED)
    return study


def without_server() -> Study:
    """Return a study that neither Prometheus nor any cgroup could be asked about."""
    study = make_study((1, 2))
    for run in runs(study):
        run.server, run.by_replica = Server(), {}
    return study


def without_open_loop() -> Study:
    """Return a study that was never asked by a schedule."""
    study = make_study((1, 2))
    for step in study.steps:
        step.runs = [run for run in step.runs if run.loop == "closed"]
    return study


def all_lost() -> Study:
    """Return a study in which not one reply came."""
    study = make_study((1, 2))
    for run in runs(study):
        run.ok, run.lost, run.latency, run.by_second, run.in_flight = 0, run.sent, "", [], 0.0
        run.server = Server(requests_by_replica={"replica-1": 0})
    return study


def hostile() -> Study:
    """Return a study whose every text tries to be something else than text."""
    study = make_study((1, 2), name=HOSTILE)
    study.settings = type(study.settings)(stack="docker", model=HOSTILE, version=1, replicas=(1, 2))
    study.hardware = {HOSTILE: HOSTILE, "commit": HOSTILE}
    for step in study.steps:
        step.events.append(Event(study.created, HOSTILE))
        step.findings.append(Finding(HOSTILE, "marked", HOSTILE))
        for run in step.runs:
            run.failures = [HOSTILE]
            run.findings.append(Finding("replies", "marked", HOSTILE))
    return study


# What each says of itself on its page.
ODD = {
    nothing: "No peak of this study counts: it has no runs.",
    without_runs: "No peak of this study counts: it has no runs.",
    interrupted: "2, 4 of the steps 1, 2, 4 are not complete.",
    one_step: "No scaling law: ",
    all_refused: "18 of 18 runs are refused",
    without_server: "Prometheus could not be asked",
    without_open_loop: "There is no run of an open loop that counts",
    all_lost: "There is no run of an open loop that counts",
    hostile: "2 replicas of",
}
