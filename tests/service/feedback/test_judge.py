"""Tests of service/feedback/judge.py and compare.py: labels meet the predictions that they are for."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from deploy.routing.routes import activate
from service.errors import BadInput, NotFound
from service.feedback import memory
from service.feedback.judge import Judged
from service.replica import Replica
from service.rows import TensorRows
from service.settings import Settings
from tests.fakes import pairs
from tests.published import published

SIGN = LogisticRegression().fit([[-1.0, 0.0], [1.0, 0.0]], ["no", "yes"])
SIGN_SAMPLE = np.array([[-1.0, 0.0], [1.0, 0.0], [2.0, 1.0]])


class Judging:
    """A replica that nobody can ask, with `sign` ("no" or "yes") and `line`, which gives sums."""

    def __init__(self, folder: Path, registry: Path, **settings: Any) -> None:
        self.registry = registry
        self.replica = Replica(
            Settings(registry_dir=registry, feedback_dir=str(folder / "feedback"), **settings)
        )
        self.replica._follower.follow()

    def answer(self, request_id: str, *predictions: Any, model: str = "sign") -> None:
        """Let a version answer, as far as its observers can see."""
        version = self.replica.registry.current(model)
        rows = pairs(*[(0, 0)] * len(predictions))
        for each in version.observers:
            each.observe(request_id.encode(), rows, {"predict": list(predictions)})

    def take(self, model: str = "sign", number: str = "", **body: Any) -> Judged:
        """Give labels."""
        return self.replica.observers.feedback.take(model, number, json.dumps(body).encode())

    def metric(self, name: str, **labels: str) -> float | None:
        """Return what Prometheus is shown."""
        return self.replica.metrics.registry.get_sample_value(f"flotilla_{name}", labels)

    def labels(self, label: str, version: str = "1") -> tuple[float, ...]:
        """Return tp, fp and fn of a class of `sign`."""
        shown = {"model": "sign", "version": version, "label": label}
        return tuple(
            self.metric("feedback_labels_total", outcome=outcome, **shown)
            for outcome in ("tp", "fp", "fn")
        )

    def result(self, result: str, model: str = "sign", version: str = "1") -> float | None:
        """Return how many labels became this."""
        return self.metric("feedback_total", model=model, version=version, result=result)

    def close(self) -> None:
        """End it."""
        self.replica._batcher.close()
        self.replica.observers.feedback._database.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with the models; to be copied."""
    registry = tmp_path_factory.mktemp("judged") / "registry"
    published(registry, "sign", SIGN, SIGN_SAMPLE, routed=True, metrics={"accuracy": 0.9})
    published(registry, "sign", SIGN, SIGN_SAMPLE)
    published(registry, "line", routed=True)
    clusters = KMeans(2, n_init=1, random_state=0).fit(SIGN_SAMPLE)
    published(registry, "clusters", clusters, SIGN_SAMPLE, routed=True)
    return registry


@pytest.fixture
def judging(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judging]:
    """Return a replica that waits for no other."""
    monkeypatch.setattr(memory.Memory.__init__, "__defaults__", (60.0, 0.0))
    registry = tmp_path / "registry"
    shutil.copytree(models, registry, symlinks=True)
    judging = Judging(tmp_path, registry)
    yield judging
    judging.close()


def judged(accepted: int = 0, duplicate: int = 0, corrected: int = 0, strange: int = 0) -> Judged:
    """Return what is said where every request is known."""
    return Judged(accepted, duplicate, corrected, strange, 0, [])


def test_labels_of_a_request(judging: Judging) -> None:
    """Labels of a request are compared with what was answered to it, row by row."""
    judging.answer("a", "yes", "no", "no")
    assert judging.take(request_id="a", labels=["yes", "yes", "no"]) == judged(3)
    assert judging.labels("yes") == (1, 0, 1)
    assert judging.labels("no") == (1, 1, 0)
    assert judging.result("accepted") == 3


def test_labels_of_rows(judging: Judging) -> None:
    """Labels of rows are compared with what the version answers to them."""
    feedback = [
        {"instances": [[1, 0], [-1, 0]], "labels": ["yes", "yes"]},
        {"instances": [[3, 1]], "labels": ["yes"]},
    ]
    assert judging.take(feedback=feedback) == judged(3)
    assert judging.take(instance=[-5, 0], label="no") == judged(1)
    assert judging.labels("yes") == (2, 0, 1)
    assert judging.labels("no") == (1, 1, 0)


def test_errors_of_numbers(judging: Judging) -> None:
    """A regressor's errors are summed up, by request and by row."""
    judging.answer("a", 10.0, model="line")
    assert judging.take("line", request_id="a", label=12) == judged(1)
    assert judging.take("line", instance=[1, 2], label=2.5) == judged(1)
    shown = {"model": "line", "version": "1"}
    assert judging.metric("feedback_values_total", **shown) == 2
    assert judging.metric("feedback_absolute_error_total", **shown) == pytest.approx(2.5)
    assert judging.metric("feedback_squared_error_total", **shown) == pytest.approx(4.25)


def test_the_same_again(judging: Judging) -> None:
    """The same label again counts once; another one is a correction, which no counter can take in."""
    judging.answer("a", "yes")
    assert judging.take(request_id="a", label="yes") == judged(1)
    assert judging.take(request_id="a", label="yes") == judged(duplicate=1)
    assert judging.take(request_id="a", label="no") == judged(corrected=1)
    assert judging.labels("yes") == (1, 0, 0)
    assert (judging.result("duplicate"), judging.result("corrected")) == (1, 1)


def test_equal_rows(judging: Judging) -> None:
    """Equal rows are one observation, however they come, unless the client names them."""
    assert judging.take(instance=[1, 0], label="yes") == judged(1)
    again = {"instances": [[1.0, 0.0], [1, 0]], "labels": ["yes", "no"]}
    assert judging.take(feedback=[again]) == judged(duplicate=1, corrected=1)
    assert judging.take(**again, id="tuesday") == judged(2)
    assert judging.take(**again, id="wednesday") == judged(2)
    assert judging.take(**again, id="tuesday") == judged(duplicate=2)


def test_a_class_that_the_version_does_not_know(judging: Judging) -> None:
    """It is the truth all the same: kept, counted as a miss, and reported."""
    judging.answer("a", "yes")
    assert judging.take(request_id="a", label="maybe") == judged(1, strange=1)
    assert judging.take(request_id="a", label="maybe") == judged(duplicate=1)
    assert judging.labels("yes") == (0, 1, 0)
    assert judging.labels("(other)") == (0, 0, 1)
    assert judging.result("unknown_label") == 1


def test_an_unknown_request_alone(judging: Judging) -> None:
    """A single id that isn't known is a 404 that says why it may be so, and what works."""
    with pytest.raises(NotFound) as refused:
        judging.take(request_id="never", label="yes")
    for words in ("'never'", "edge cache", "too long ago", "16 rows", '"instances" always work'):
        assert words in refused.value.message
    assert judging.result("unknown_request", version="") == 1


def test_an_unknown_request_among_others(judging: Judging) -> None:
    """It is named, and keeps nothing else back."""
    judging.answer("a", "yes")
    feedback = [{"request_id": name, "label": "yes"} for name in ("never", "a", "never either")]
    feedback.append({"instance": [1, 0], "label": "yes"})
    said = judging.take(feedback=feedback)
    assert said == Judged(2, 0, 0, 0, 2, ["never", "never either"])


def test_a_version_that_is_named(judging: Judging) -> None:
    """An answer of another version isn't meant, and rows go to the version named."""
    judging.answer("a", "yes")
    judging.replica.registry.hold(judging.replica.registry.current("sign"))
    with pytest.raises(NotFound, match="no answer to 'a'"):
        judging.take(number="2", request_id="a", label="yes")
    assert judging.take(number="1", request_id="a", label="yes") == judged(1)
    with pytest.raises(NotFound, match="version 2 isn't loaded"):
        judging.take(number="2", instance=[1, 0], label="yes")


def test_labels_come_after_the_version_has_gone(judging: Judging) -> None:
    """A version that no longer answers is still judged, as long as it is published."""
    judging.answer("a", "yes")
    judging.answer("b", "yes")
    judging.answer("c", "yes")
    assert judging.take(request_id="c", label="yes") == judged(1)  # which writes all of them
    activate(judging.registry, "sign", 2, "test")
    judging.replica._follower.follow()
    judging.replica.registry.release([("sign", "1")])
    assert judging.take(request_id="a", label="no") == judged(1)
    assert judging.labels("no") == (0, 0, 1)
    shutil.rmtree(judging.registry / "sign" / "1")
    with pytest.raises(NotFound):
        judging.take(request_id="b", label="no")


def test_a_refusal_keeps_nothing(judging: Judging) -> None:
    """Where one label can't be understood, none of the request is kept."""
    judging.answer("a", "yes")
    feedback = [{"request_id": "a", "label": "yes"}, {"instance": [1, 0], "label": 7}]
    with pytest.raises(BadInput, match=r"feedback\[1\]\.label: expected a string .* got 7"):
        judging.take(feedback=feedback)
    assert judging.take(request_id="a", label="yes") == judged(1)


@pytest.mark.parametrize(
    ("model", "body", "error", "words"),
    [
        ("sign", {"request_id": "a", "labels": ["yes", "no"]}, BadInput, "each of 1 rows, got 2"),
        ("sign", {"request_id": "a", "label": None}, BadInput, "label: expected a string"),
        (
            "sign",
            {"instance": [1], "label": "yes"},
            BadInput,
            "got a list of 1; a row is a list of 2 numbers",
        ),
        ("sign", {"instances": [[1, 0]], "labels": []}, BadInput, "labels: "),
        ("line", {"instance": [1, 0], "label": "1"}, BadInput, "label: expected a number"),
        ("clusters", {"instance": [1, 0], "label": 1}, BadInput, "neither a class nor a number"),
        ("nope", {"instance": [1, 0], "label": 1}, NotFound, "no model 'nope'; there are: clusters, "),
    ],
)
def test_refusals(judging: Judging, model: str, body: Any, error: Any, words: str) -> None:
    """What can't be a label, or a row, or is nobody's, is refused in words."""
    judging.answer("a", "yes")
    with pytest.raises(error) as refused:
        judging.take(model, **body)
    assert words in refused.value.message


def test_no_observer_where_nothing_can_be_judged(judging: Judging) -> None:
    """A model without labels to compare with isn't remembered; the others are."""
    registry, feedback = judging.replica.registry, judging.replica.observers.feedback
    remembered = {m for m in registry.routes if feedback.observer_of(registry.current(m))}
    assert remembered == {"sign", "line"}


def test_late_labels(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After FEEDBACK_KEEP_HOURS an answer is unknown; by row its label is as good as ever."""
    monkeypatch.setattr(memory.Memory.__init__, "__defaults__", (60.0, 0.0))
    judging = Judging(tmp_path, models, feedback_keep_hours=0.0)
    judging.answer("a", "yes")
    with pytest.raises(NotFound, match="too long ago"):
        judging.take(request_id="a", label="yes")
    assert judging.take(instance=[1, 0], label="yes") == judged(1)
    judging.close()


def test_without_a_folder(models: Path) -> None:
    """Without FEEDBACK_DIR nothing is remembered, and feedback is refused."""
    replica = Replica(Settings(registry_dir=models))
    replica._follower.follow()
    with pytest.raises(NotFound, match="feedback is off"):
        replica.observers.feedback.take("sign", "", b'{"instance": [1, 0], "label": "yes"}')
    replica._batcher.close()


def test_published_scores(judging: Judging) -> None:
    """What the publisher measured is shown beside, and classes begin at 0."""
    shown = {"model": "sign", "version": "1"}
    assert judging.metric("model_score", metric="accuracy", **shown) == 0.9
    assert judging.labels("yes") == judging.labels("no") == judging.labels("(other)") == (0, 0, 0)
    assert judging.result("accepted") == 0


def test_predictions_are_what_the_engine_gives(judging: Judging) -> None:
    """A batch's rows are judged by the same answers that clients get."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 2))
    engine = judging.replica.registry.current("sign").engine
    given = engine.run(TensorRows(rows), ("predict",))["predict"].tolist()
    flipped = ["no" if each == "yes" else "yes" for each in given[:40]]
    said = judging.take(instances=rows.tolist(), labels=flipped + given[40:], id="batch")
    assert said == judged(200)
    assert judging.labels("yes")[0] + judging.labels("no")[0] == 160
