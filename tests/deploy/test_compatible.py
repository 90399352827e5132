"""Whether clients can go on: what would make today's requests fail is said, what wouldn't isn't."""

import pytest

from deploy.compatible import differences
from service.signature import Signature, Tensor

PREDICT = Tensor("predict", "float64")
PROBABILITIES = Tensor("predict_proba", "float64", (-1, 2))
AGE, CITY = Tensor("age", "float64"), Tensor("city", "string")
CITY_OR_NULL = Tensor("city", "string", (-1,), nullable=True)
CITY_AS_NUMBER = Tensor("city", "float64")
TEXT = Signature("text", (Tensor("text", "string"),), (PREDICT,))


def tensor(width: int, *outputs: Tensor, nullable: bool = False) -> Signature:
    """Return the signature of a model of `width` numbers."""
    return Signature("tensor", (Tensor("x", "float64", (-1, width), nullable),), outputs or (PREDICT,))


def table(*columns: Tensor) -> Signature:
    """Return the signature of a model of some columns."""
    return Signature("table", columns, (PREDICT,))


BOTH_WAYS = [
    (
        tensor(2),
        TEXT,
        ["a row was a list of 2 numbers, now it is a string"],
        ["a row was a string, now it is a list of 2 numbers"],
    ),
    (
        tensor(2),
        tensor(3),
        ["a row had 2 numbers, now it has 3"],
        ["a row had 3 numbers, now it has 2"],
    ),
    (table(AGE, CITY), table(AGE), ["the column 'city' is gone"], ["the column 'city' is new"]),
    (
        table(AGE, CITY),
        table(AGE, CITY_AS_NUMBER),
        ["'city' was string, now it is float64"],
        ["'city' was float64, now it is string"],
    ),
    (
        table(AGE, CITY),
        table(CITY, AGE),
        ["the columns are in another order, and rows may be lists"],
        ["the columns are in another order, and rows may be lists"],
    ),
    (table(AGE, CITY_OR_NULL), table(AGE, CITY), ["'city' may not be null any more"], []),
    (tensor(2, nullable=True), tensor(2), ["'x' may not be null any more"], []),
    (
        tensor(2, PREDICT, PROBABILITIES),
        tensor(2, PREDICT),
        ["the output 'predict_proba' is gone"],
        [],
    ),
    (
        tensor(2, PREDICT),
        tensor(2, Tensor("predict", "string")),
        ["'predict' was float64, now it is string"],
        ["'predict' was string, now it is float64"],
    ),
    (
        tensor(2, PREDICT, PROBABILITIES),
        tensor(2, PROBABILITIES, PREDICT),
        ["the answer was 'predict', now it is 'predict_proba'"],
        ["the answer was 'predict_proba', now it is 'predict'"],
    ),
    (
        table(AGE, CITY_OR_NULL),
        table(CITY),
        ["the column 'age' is gone", "'city' may not be null any more"],
        ["the column 'age' is new"],
    ),
]


@pytest.mark.parametrize(("live", "new", "there", "back"), BOTH_WAYS)
def test_differences(live: Signature, new: Signature, there: list[str], back: list[str]) -> None:
    """Each difference is one sentence, in both directions: what is lost may be gained silently."""
    assert differences(live, new) == there
    assert differences(new, live) == back


@pytest.mark.parametrize("signature", [TEXT, tensor(2), tensor(3, nullable=True), table(AGE, CITY)])
def test_same(signature: Signature) -> None:
    """A version that takes and gives the same is no difference."""
    assert differences(signature, signature) == []


def test_other_classes() -> None:
    """Other classes, and as many probabilities, change answers and no request."""
    two = Signature("text", TEXT.inputs, (PROBABILITIES,), ("ham", "spam"))
    three = Signature(
        "text", TEXT.inputs, (Tensor("predict_proba", "float64", (-1, 3)),), ("ham", "spam", "news")
    )
    assert differences(two, three) == differences(three, two) == []
