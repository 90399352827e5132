"""What is said beforehand: what is measured, how long it takes, where the cores end."""

import pytest

from loadtest.sweep.announce import announcement, where_cores_end
from loadtest.sweep.duration import in_words, planned, plans
from tests.loadtest.studies import make_study
from tests.loadtest.sweep.fakes import fake_study


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h 00 min"), (3900, "1 h 05 min")],
)
def test_in_words(seconds: float, words: str) -> None:
    """Durations are as exact as a guess is."""
    assert in_words(seconds) == words


def test_plan_is_what_is_left() -> None:
    """A complete step takes nothing more, one that was begun less than a whole one."""
    study = make_study((1, 2, 4))
    study.settings = fake_study(1, 2, 4, run_seconds=10.0, repetitions=3).settings
    study.steps.pop()
    study.steps[1].complete = False
    study.steps[1].runs = study.steps[1].runs[:3]
    left = {replicas: plan.seconds for replicas, plan in plans(study).items()}
    assert left[1] == 0
    assert 0 < left[2] < planned(2, study.settings).seconds
    assert left[4] == planned(4, study.settings).seconds


def test_more_repetitions_take_longer() -> None:
    """The plan follows the settings."""
    few, many = (fake_study(1, repetitions=count).settings for count in (2, 5))
    assert planned(1, few).seconds < planned(1, many).seconds
    assert planned(1, fake_study(1, connections=8).settings).runs["saturation"] == 0


def test_announcement_names_everything() -> None:
    """Model, version, stack, replicas and quota, a line for each step, and the time."""
    first, *steps, whole = announcement(fake_study(1, 2), cores=8)
    assert first == "m version 1 on the docker stack: 1, 2 replicas at 0.2 CPUs each"
    assert [line.split(":")[0].strip() for line in steps] == ["1 replicas", "2 replicas"]
    assert whole.endswith("in all")


def test_where_cores_end() -> None:
    """From the first number of replicas on that want more than there is, and not before."""
    assert where_cores_end(fake_study(1, 2, 4, cpus=0.2).settings, 2) == ""
    assert "from 8 replicas on, at 0.2 CPUs" in where_cores_end(fake_study(1, 8, cpus=0.2).settings, 2)
    without = where_cores_end(fake_study(1, 2, cpus=None).settings, 2)
    assert "from 2 replicas on, without a quota" in without
    assert "--cpus" in without
