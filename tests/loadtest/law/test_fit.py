"""The fit: known parameters are found again, and intervals hold the truth as often as they say."""

import numpy as np
import pytest

from deploy.errors import Refused
from loadtest.law.fit import fit, fit_rates
from loadtest.law.law import Law
from loadtest.study.study import Finding, Host, Step, Study
from tests.loadtest.studies import make_step, make_study, usl

STUDIES = 200


def measured(
    random: np.random.Generator,
    truth: tuple[float, float, float],
    noise: float,
    replicas: tuple[int, ...] = (1, 2, 4, 8),
    repetitions: int = 3,
) -> list[tuple[int, float]]:
    """Return peaks by the law, each with noise of its own."""
    return [
        (count, usl(count, *truth) * float(np.exp(random.normal(0, noise))))
        for count in replicas
        for _ in range(repetitions)
    ]


def refuse_peaks(step: Step) -> None:
    """Let the checks refuse all peaks of a step."""
    for run in step.runs:
        if run.purpose == "peak":
            run.findings = [Finding("little", "refused", "impossible")]


def fill_host(step: Step) -> None:
    """Let the host end a step: its cores are busy, and its replicas get half of their quota."""
    for run in step.runs:
        assert run.server.parts
        run.server = type(run.server)(
            requests_by_replica=run.server.requests_by_replica,
            requests_at_the_door=run.server.requests_at_the_door,
            parts={
                name: type(part)(
                    cpu_seconds=part.cpu_seconds / 2,
                    memory_bytes=part.memory_bytes,
                    quota_cpus=part.quota_cpus,
                    periods=part.periods,
                )
                for name, part in run.server.parts.items()
            },
            host=Host(cores=2, busy_share=0.99, steal_share=0.0),
        )


@pytest.mark.parametrize(
    "truth", [(500.0, 0.02, 0.0005), (90.0, 0.2, 0.03), (2000.0, 0.0, 0.001), (7.0, 0.05, 0.0)]
)
def test_known_parameters(truth: tuple[float, float, float]) -> None:
    """Without noise the parameters are found exactly, also where one is at its bound."""
    law = fit_rates([(count, usl(count, *truth)) for count in (1, 2, 4, 8)])
    found = (law.alone.value, law.sigma.value, law.kappa.value)
    assert found == pytest.approx(truth, rel=1e-4, abs=1e-6)
    assert law.at(16).value == pytest.approx(usl(16, *truth), rel=1e-3)
    assert law.r2 == pytest.approx(1)


@pytest.mark.parametrize(
    ("truth", "noise", "replicas"),
    [
        ((500.0, 0.02, 0.0005), 0.01, (1, 2, 4, 8)),
        ((500.0, 0.1, 0.01), 0.03, (1, 2, 3, 4, 6)),
        ((500.0, 0.02, 0.0), 0.01, (1, 2, 4, 8)),
        ((500.0, 0.0, 0.0), 0.01, (1, 2, 4)),
        ((500.0, 0.05, 0.002), 0.02, (2, 4, 8)),
    ],
)
def test_intervals_hold_the_truth(
    truth: tuple[float, float, float], noise: float, replicas: tuple[int, ...]
) -> None:
    """In at least 90 % of studies each interval holds what is true, also at the bounds."""
    random = np.random.default_rng(7)
    hits = np.zeros(5)
    for _ in range(STUDIES):
        law = fit_rates(measured(random, truth, noise, replicas))
        peak = np.sqrt((1 - truth[1]) / truth[2]) if truth[2] else np.inf
        pairs = (
            (law.alone, truth[0]),
            (law.sigma, truth[1]),
            (law.kappa, truth[2]),
            (law.peak_replicas, peak),
            (law.at(16), usl(16, *truth)),
        )
        hits += [each.low <= true <= each.high for each, true in pairs]
    assert np.all(hits / STUDIES >= 0.9), hits / STUDIES


def test_intervals_leave_out_what_is_wrong() -> None:
    """They aren't so wide that they hold anything: other parameters are outside."""
    random = np.random.default_rng(7)
    outside = 0
    for _ in range(50):
        law = fit_rates(measured(random, (500.0, 0.05, 0.005), 0.01))
        outside += law.sigma.low > 0.01 and law.kappa.low > 0.001 and law.alone.high < 530
    assert outside >= 45


def test_noise_widens() -> None:
    """Runs that differ more leave more open, at the measured numbers and more so beyond them."""
    quiet, loud = (
        fit_rates(measured(np.random.default_rng(3), (500.0, 0.05, 0.005), noise, repetitions=20))
        for noise in (0.005, 0.05)
    )
    assert width(loud, 4) > 3 * width(quiet, 4)
    assert width(loud, 16) > 2 * width(loud, 8)
    assert (quiet.noise, loud.noise) == pytest.approx((0.005, 0.05), rel=0.5)


def test_steps_that_miss_the_law_widen() -> None:
    """What a step has of its own counts as noise, though its repetitions agree."""
    rates = [
        (count, usl(count, 500, 0.05, 0.005) * factor * repetition)
        for count, factor in ((1, 1.0), (2, 1.04), (4, 0.96), (8, 1.02))
        for repetition in (0.999, 1.0, 1.001)
    ]
    assert fit_rates(rates).noise > 0.03


def test_scale_is_free() -> None:
    """Rates in thousands or thousandths are fitted alike."""
    rates = measured(np.random.default_rng(1), (1.0, 0.05, 0.005), 0.01)
    slow, fast = fit_rates(rates), fit_rates([(count, 1e5 * rate) for count, rate in rates])
    assert fast.sigma == pytest.approx(slow.sigma, rel=1e-3)
    assert fast.alone.high == pytest.approx(1e5 * slow.alone.high, rel=1e-3)


def test_study() -> None:
    """Each repetition of a study's peaks is a point, and no other run is."""
    study = make_study(noise=0.01)
    law = fit(study)
    assert law.measured == (1, 2, 4, 8)
    peaks = [run.achieved for step in study.steps for run in step.runs if run.purpose == "peak"]
    assert [each.measured for each in law.residuals] == peaks
    assert law.residuals[0].share == pytest.approx(peaks[0] / law.at(1).value - 1)
    assert law.r2 > 0.99
    assert not law.left_out
    assert not law.bent


def test_refused_runs_do_not_count() -> None:
    """A step that the checks refuse isn't in the law; with too few others there is none."""
    study = make_study()
    refuse_peaks(study.steps[3])
    assert fit(study).measured == (1, 2, 4)
    refuse_peaks(study.steps[0])
    with pytest.raises(Refused, match="at least 3 numbers of replicas, there are only 2, 4 that"):
        fit(study)


@pytest.mark.parametrize(
    ("finding", "counted"),
    [
        (Finding("balance", "refused", "in a run only 7 of 8 replicas answered"), False),
        (Finding("repetitions", "refused", "peak: 3 of 3 runs count, 400 to 700 a second"), False),
        (Finding("repetitions", "refused", "objective: 0 of 3 runs count"), True),
        (Finding("repetitions", "marked", "peak: 2 of 3 runs count"), True),
    ],
)
def test_refused_steps_do_not_count(finding: Finding, counted: bool) -> None:
    """What checks refuse of all peaks together isn't in the law, and is named; of the objective is."""
    study = make_study()
    study.steps[3].findings = [finding]
    law = fit(study)
    assert law.measured == ((1, 2, 4, 8) if counted else (1, 2, 4))
    assert law.refused == (() if counted else (8,))


@pytest.mark.parametrize(("replicas", "there"), [((), "none"), ((1,), "only 1"), ((1, 8), "only 1, 8")])
def test_too_few_steps(replicas: tuple[int, ...], there: str) -> None:
    """Two points lie on any law: it is said what to measure."""
    with pytest.raises(Refused, match=f"there are {there} .*flotilla sweep --replicas 1,2,4,8"):
        fit(make_study(replicas))


def test_too_few_runs() -> None:
    """Three runs leave no idea of their noise, four do."""
    steps = [make_step(count, usl(count, 500, 0.02, 0), repetitions=1) for count in (1, 2, 4)]
    study = make_study(())
    study.steps = steps
    with pytest.raises(Refused, match="at least twice: flotilla sweep --repetitions"):
        fit(study)
    study.steps = [*steps, make_step(8, usl(8, 500, 0.02, 0), repetitions=1)]
    assert fit(study).measured == (1, 2, 4, 8)


def host_ends(study: Study, *replicas: int) -> Law:
    """Fit a study in which the host ended these steps, at 0.6 of what they would have given."""
    for step in study.steps:
        if step.replicas in replicas:
            fill_host(step)
            for run in step.runs:
                run.ok = round(run.ok * 0.6)
    return fit(study)


def test_host_does_not_bend_the_law() -> None:
    """A step that the host ended is left out and named; the others give the law that is true."""
    law = host_ends(make_study((1, 2, 4, 8), sigma=0.02, kappa=0, noise=0), 8)
    assert law.measured == (1, 2, 4)
    assert law.left_out[8].part == "host"
    assert not law.bent
    assert law.sigma.value == pytest.approx(0.02, abs=0.001)


def test_host_ended_a_refused_step() -> None:
    """A step that checks refuse is refused, and nothing else is said of it."""
    study = make_study((1, 2, 4, 8), noise=0)
    study.steps[3].findings = [Finding("balance", "refused", "in a run only 7 of 8 answered")]
    law = host_ends(study, 8)
    assert law.refused == (8,)
    assert not law.left_out


def test_host_ends_most_steps() -> None:
    """Where too few others remain all count, and it is said that this machine is in the law."""
    law = host_ends(make_study((1, 2, 4, 8), sigma=0.02, kappa=0, noise=0), 4, 8)
    assert law.measured == (1, 2, 4, 8)
    assert sorted(law.bent) == [4, 8]
    assert not law.left_out
    assert law.sigma.value + law.kappa.value > 0.05


def width(law: Law, replicas: int) -> float:
    """Return how wide an interval is, as a share."""
    value, low, high = law.at(replicas)
    return (high - low) / value
