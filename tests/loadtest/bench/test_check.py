"""Checking a server: it passes when each class is scikit-learn's, and is named when one isn't."""

import json

import pytest
from sklearn.naive_bayes import GaussianNB

from loadtest.bench.check import PASSES, WrongAnswerError, check, warm_up
from loadtest.bench.servers import Server
from loadtest.bench.workloads import FAVOURITES, Workload
from tests.loadtest.bench.models import OneWrong, digits_model, failing, serving
from tests.loadtest.fakes import Reply, answering

ONE, BATCH, REPEATS = (Workload("digits", shape) for shape in ("unique", "batch", "repeats"))


@pytest.fixture(scope="module")
def model() -> GaussianNB:
    """Return a model of the digits."""
    return digits_model()


@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_check_accepts_the_same_model(workload: Workload, model: GaussianNB) -> None:
    """A server that agrees with scikit-learn on at least 200 rows passes."""
    with answering(serving(model)) as (url, received):
        assert check(Server("test", url), workload, model) == {"none": len(received)}
    assert sum(len(json.loads(body)["instances"]) for body in received) >= 200


@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_check_refuses_one_wrong_class(workload: Workload, model: GaussianNB) -> None:
    """A server that differs from scikit-learn in a single row is named and not measured."""
    with (
        answering(serving(OneWrong(model))) as (url, _),
        pytest.raises(WrongAnswerError, match=f"test, {workload.title}: status 200"),
    ):
        check(Server("test", url), workload, model)


def test_check_refuses_an_error(model: GaussianNB) -> None:
    """A server that answers with an error isn't measured."""
    with answering(failing) as (url, _), pytest.raises(WrongAnswerError, match="status 500"):
        check(Server("test", url), ONE, model)


def test_warm_up_asks_for_every_favourite(model: GaussianNB) -> None:
    """Each of the thousand bodies is sent in each pass, and the last pass says which tier answered."""
    serve, seen = serving(model), set[bytes]()

    def cached(body: bytes) -> Reply:
        status, _, content = serve(body)
        tier = "redis" if body in seen else "miss"
        seen.add(body)
        return status, {"X-Cache": tier}, content

    with answering(cached) as (url, received):
        assert warm_up(Server("test", url), REPEATS, model) == {"redis": FAVOURITES}
    assert len(received) == PASSES * FAVOURITES


def test_warm_up_refuses_a_wrong_cached_answer(model: GaussianNB) -> None:
    """An answer that is right at first and wrong when it is repeated is found."""
    serve, seen = serving(model), set[bytes]()

    def forgetful(body: bytes) -> Reply:
        if body in seen:
            return 200, {}, b'{"predictions": [11]}'
        seen.add(body)
        return serve(body)

    with answering(forgetful) as (url, _), pytest.raises(WrongAnswerError, match="11"):
        warm_up(Server("test", url), REPEATS, model)
