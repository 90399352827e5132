"""A plan for people: the answer in a line, then where it comes from and how far it holds."""

import msgspec
import pytest

from loadtest.law.fit import fit
from loadtest.plan.plan import Need, plan
from loadtest.plan.words import headline, sentences
from loadtest.study.study import Server, Study
from tests.loadtest.studies import make_study


def linear() -> Study:
    """Return a study of replicas that give 500 requests/s each, 350 of them within 50 ms."""
    return make_study(sigma=0, kappa=0, noise=0)


def said(study: Study, rps: float, p99_seconds: float = 0.05) -> str:
    """Return all sentences of a plan."""
    return "\n".join(sentences(plan(study, rps, p99_seconds), fit(study), study))


@pytest.mark.parametrize(
    ("rps", "expected"),
    [
        (340, "340 requests/s with p99 within 50 ms: 1 replica (1 to 1)"),
        (1740, "1,740 requests/s with p99 within 50 ms: 5 replicas (4 to 5)"),
        (3490, "3,490 requests/s with p99 within 50 ms: 10 replicas (8 to 10, extrapolated)"),
    ],
)
def test_headline(rps: float, expected: str) -> None:
    """The headline has target, replicas and interval, and whether that was measured."""
    assert headline(plan(linear(), rps, 0.05)) == expected


def test_headline_without_an_answer() -> None:
    """Where no number is enough, likely or at worst, it says so."""
    made = msgspec.structs.replace(plan(linear(), 340, 0.0125), high=Need(replicas=None))
    assert headline(made).endswith(
        "p99 within 12.5 ms: 1 replica (at best 1, at worst no number is enough)"
    )
    made = msgspec.structs.replace(made, expected=Need(replicas=None))
    assert headline(made).endswith("12.5 ms: no number of replicas is enough")


def test_measured() -> None:
    """What was measured has its share, bottleneck and assumptions, and no extrapolation."""
    text = said(linear(), 1740)
    assert (
        "Within 50 ms replicas give 70 % of their peak (at least 70 %; 90 % was too slow), measured "
        "with 1, 2, 4, 8 replicas." in text
    )
    assert "With 8 replicas, the most in the law, the replicas used 97 % of the CPU" in text
    assert (
        "Holds for digits-forest version 1, requests of 1 row (none seen before, so no cache helps), "
        "replicas of 0.2 CPU on A processor; from study made, commit 0000000." in text
    )
    assert "EXTRAPOLATED" not in text
    assert "Not measured" not in text


def test_nothing_too_slow() -> None:
    """Where every rate was in time it is said that no higher one was tried."""
    assert "90 % of their peak (at least 90 %; more wasn't tried)" in said(linear(), 1740, 0.2)


def test_extrapolated() -> None:
    """What is beyond is marked, with how far measurements went."""
    text = said(linear(), 5000)
    assert "EXTRAPOLATED: measured were 1, 2, 4, 8 replicas, up to 2,800 requests/s within it." in text


def test_beyond_the_peak() -> None:
    """It is said what the most is, and that more replicas give less; at worst likewise."""
    text = said(make_study((1, 2, 4, 8, 12), sigma=0.05, kappa=0.01, noise=0), 5000)
    assert "The most within it is 1,489 (1,489 to 1,9" in text
    assert "requests/s, with 10 replicas; more give less." in text
    assert "At worst the most within it is" in said(make_study(noise=0.02), 5000)


def test_step_that_kept_nothing() -> None:
    """A step at which no measured rate was slow enough is named."""
    study = linear()
    study.steps[3].runs = [run for run in study.steps[3].runs if run.loop == "closed"]
    assert "With 8 replicas no rate that was measured was slow enough." in said(study, 100)


def test_how_far_one_nginx_goes() -> None:
    """171 µs of CPU a request: 1 CPU is used up at 5,833 requests/s, 8 cores at 46.7k; then others."""
    text = said(linear(), 1740)
    assert "nginx takes 171 µs of CPU a request, 0.3 CPUs for this rate." in text
    assert "It uses up 1 CPU at 5,833 requests/s and all 8 cores of that host at 46.7k." in text
    assert "several nginx behind DNS, anycast or a cloud's load balancer" in text
    assert "Redis takes 171 µs a request, and one core is the most it uses: that ends at 5,833" in text
    assert "isn't enough" not in text
    assert "So 1 CPU isn't enough: raise its limit in docker-compose.yml." in said(linear(), 6000)


def test_unknown() -> None:
    """What wasn't measured is named, and nothing is said about it."""
    study = linear()
    for step in study.steps:
        for run in step.runs:
            run.server = Server()
    text = said(study, 1740)
    assert "Not measured, and not in the figures: the replicas' memory, nginx, Redis." in text
    assert "nginx takes" not in text
    assert "Redis takes" not in text


def test_repeats() -> None:
    """A study of repeated rows says that caches helped."""
    study = linear()
    study.settings = msgspec.structs.replace(study.settings, shape="repeats", rows=8, cpus=None)
    assert "requests of 8 rows (repeated, so caches help), replicas of as much CPU as it finds" in said(
        study, 100
    )
