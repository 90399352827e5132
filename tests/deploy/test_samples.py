"""Tests of deploy/samples: each model is good, reproducible, and survives being stored."""

import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, r2_score
from skops.io.exceptions import UntrustedTypesFoundException

from deploy.samples import SAMPLES, house_prices, movies, spam, viewers
from deploy.samples.trained import TrainedModel

# One seed that no training uses: what is drawn with it, no model has seen.
UNSEEN_SEED = 4711
MAX_TRAINING_SECONDS = 15.0


@dataclasses.dataclass(frozen=True)
class Expected:
    """What one sample has to be: its score's floor, the kinds of its rows and its predictions."""

    metric: str
    floor: float
    ceiling: float
    row_shape: tuple[int, ...]
    prediction_kind: str
    prediction_shape: tuple[int, ...] = ()


EXPECTED = {
    "digits": Expected("accuracy", 0.95, 1.0, (64,), "i"),
    "digits-forest": Expected("accuracy", 0.96, 1.0, (64,), "i"),
    "spam": Expected("accuracy", 0.93, 0.995, (), "U"),
    "house-prices": Expected("r2", 0.88, 0.99, (6,), "f"),
    "movies": Expected("hit_rate_at_10", 0.30, 0.90, (), "U", (10,)),
}


@dataclasses.dataclass(frozen=True)
class Timed:
    """A trained sample, what is expected of it, and how long training took."""

    model: TrainedModel
    expected: Expected
    seconds: float


@pytest.fixture(scope="session")
def all_trained() -> dict[str, Timed]:
    """Train every sample once."""
    trained = {}
    for name, train in SAMPLES.items():
        start = time.process_time()
        model = train()
        trained[name] = Timed(model, EXPECTED[name], time.process_time() - start)
    return trained


@pytest.fixture(params=list(SAMPLES))
def trained(request: pytest.FixtureRequest, all_trained: dict[str, Timed]) -> Timed:
    """Return one sample after the other."""
    return all_trained[request.param]


@pytest.fixture
def recommender(all_trained: dict[str, Timed]) -> movies.MovieRecommender:
    """Return the fitted recommender."""
    estimator = all_trained["movies"].model.estimator
    assert isinstance(estimator, movies.MovieRecommender)
    return estimator


def digits_of(pixels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Look the digit of each image up in the bundled data."""
    images, digits = load_digits(return_X_y=True)
    digit_of = {image.tobytes(): digit for image, digit in zip(images, digits, strict=True)}
    return np.array([digit_of[image.tobytes()] for image in np.ascontiguousarray(pixels)])


def test_samples_come_in_a_fixed_order() -> None:
    """The mapping lists the five samples in the order in which they are published."""
    assert list(SAMPLES) == ["digits", "digits-forest", "spam", "house-prices", "movies"]


def test_name_is_the_key(all_trained: dict[str, Timed]) -> None:
    """A model is published under the name by which it is asked for."""
    assert {name: timed.model.name for name, timed in all_trained.items()} == {
        name: name for name in SAMPLES
    }


def test_score_lies_between_floor_and_too_good_to_be_true(trained: Timed) -> None:
    """The hold-out score is worth showing, and not so high that the answer must have leaked."""
    score = trained.model.metrics[trained.expected.metric]
    assert trained.expected.floor <= score < trained.expected.ceiling


def test_metrics_are_plain_numbers(trained: Timed) -> None:
    """Metrics go into a JSON manifest as they are."""
    metrics = dict(trained.model.metrics)
    assert json.loads(json.dumps(metrics)) == metrics
    assert all(type(value) is float for value in metrics.values())


def test_trains_in_seconds(trained: Timed) -> None:
    """The first start of the stack isn't held up by training."""
    assert trained.seconds < MAX_TRAINING_SECONDS


def test_sample_has_200_rows_of_the_stated_kind(trained: Timed) -> None:
    """The sample holds at least 200 rows: float64 numbers, named columns, or texts."""
    sample = trained.model.sample
    assert len(sample) >= 200
    if isinstance(sample, list):
        assert {type(row) for row in sample} == {str}
    else:
        assert sample.shape[1:] == trained.expected.row_shape
    if isinstance(sample, np.ndarray):
        assert sample.dtype == np.float64


def test_predictions_are_numbers_or_unicode(trained: Timed) -> None:
    """Predictions can be stored in npz without pickle, texts included."""
    predicted = trained.model.estimator.predict(trained.model.sample[:200])
    assert predicted.dtype.kind == trained.expected.prediction_kind
    assert predicted.shape == (200, *trained.expected.prediction_shape)


@pytest.mark.parametrize("name", ["digits", "digits-forest", "spam"])
def test_classifiers_give_probabilities(name: str, all_trained: dict[str, Timed]) -> None:
    """A classifier's probabilities sum to one, and the largest belongs to the class it predicts."""
    model = all_trained[name].model
    rows = model.sample[:200]
    probabilities = model.estimator.predict_proba(rows)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    best = model.estimator.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(best, model.estimator.predict(rows))


@pytest.mark.parametrize("name", ["digits", "spam", "house-prices", "movies"])
def test_training_twice_gives_the_same_model(name: str, all_trained: dict[str, Timed]) -> None:
    """Training is seeded: metrics, sample and predictions are the same each time."""
    first, second = all_trained[name].model, SAMPLES[name]()
    assert json.dumps(dict(first.metrics)) == json.dumps(dict(second.metrics))
    assert np.array_equal(np.asarray(first.sample), np.asarray(second.sample))
    np.testing.assert_array_equal(
        first.estimator.predict(first.sample), second.estimator.predict(second.sample)
    )


def test_stored_model_predicts_the_same(trained: Timed) -> None:
    """A model that skops wrote and read back, trusting what is listed, answers 200 rows alike."""
    model = trained.model
    stored = skops.io.dumps(model.estimator)
    restored = skops.io.loads(stored, trusted=list(model.trusted))
    rows = model.sample[:200]
    np.testing.assert_array_equal(restored.predict(rows), model.estimator.predict(rows))


def test_trusted_lists_just_what_skops_refuses(trained: Timed) -> None:
    """No type is trusted that needn't be, and none is missing."""
    stored = skops.io.dumps(trained.model.estimator)
    assert skops.io.get_untrusted_types(data=stored) == sorted(trained.model.trusted)


@pytest.mark.parametrize("name", ["digits-forest", "house-prices", "movies"])
def test_untrusted_types_are_refused(name: str, all_trained: dict[str, Timed]) -> None:
    """Without being told to trust a model's types, skops doesn't load it and names them."""
    model = all_trained[name].model
    with pytest.raises(UntrustedTypesFoundException, match=model.trusted[0]):
        skops.io.loads(skops.io.dumps(model.estimator), trusted=[])


@pytest.mark.parametrize("name", ["digits", "digits-forest"])
def test_digits_beat_the_commonest_class(name: str, all_trained: dict[str, Timed]) -> None:
    """The stated accuracy is the one on the sample, and far above always saying one digit."""
    model = all_trained[name].model
    assert isinstance(model.sample, np.ndarray)
    digits = digits_of(model.sample)
    accuracy = accuracy_score(digits, model.estimator.predict(model.sample))
    baseline = DummyClassifier(strategy="most_frequent").fit(model.sample, digits)
    assert accuracy == pytest.approx(model.metrics["accuracy"], abs=1e-4)
    assert accuracy > 5 * baseline.score(model.sample, digits)


def test_spam_beats_the_commonest_class_on_new_messages(all_trained: dict[str, Timed]) -> None:
    """On messages that it has never seen the model is better than calling all of them ham."""
    seen = set(spam.messages(4000, seed=spam.SEED)[0])
    drawn = zip(*spam.messages(1000, seed=UNSEEN_SEED), strict=True)
    texts, labels = zip(*((text, label) for text, label in drawn if text not in seen), strict=True)
    assert len(texts) > 500
    accuracy = accuracy_score(labels, all_trained["spam"].model.estimator.predict(texts))
    baseline = DummyClassifier(strategy="most_frequent").fit(texts, labels)
    assert accuracy > baseline.score(texts, labels) + 0.2


def test_spam_messages_are_all_different() -> None:
    """No message of the hold-out set was also trained on."""
    texts, labels = spam.messages(4000, seed=spam.SEED)
    assert len(set(texts)) == len(texts) == len(labels) == 4000


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Congratulations, you have won a holiday! Claim it at bit.example/x7", "spam"),
        ("Hi Anna, can you bring the charger to the office tomorrow?", "ham"),
    ],
)
def test_spam_tells_plain_cases(text: str, label: str, all_trained: dict[str, Timed]) -> None:
    """A scam and a friend's question are told apart."""
    assert all_trained["spam"].model.estimator.predict([text]).tolist() == [label]


def test_house_prices_beat_the_mean_on_new_houses(all_trained: dict[str, Timed]) -> None:
    """On houses that it has never seen the model explains what the mean price doesn't."""
    sold = house_prices.houses(1000, seed=UNSEEN_SEED)
    columns, price = sold.drop(columns="price_eur"), sold["price_eur"]
    mean = DummyRegressor().fit(columns, price).predict(columns)
    predicted = all_trained["house-prices"].model.estimator.predict(columns)
    assert r2_score(price, predicted) > r2_score(price, mean) + 0.8


def test_house_prices_know_their_columns(all_trained: dict[str, Timed]) -> None:
    """The estimator remembers the names that a row's columns are matched to."""
    model = all_trained["house-prices"].model
    assert isinstance(model.sample, pd.DataFrame)
    assert list(model.estimator.feature_names_in_) == list(model.sample.columns)
    assert "price_eur" not in model.sample.columns


def test_house_in_an_unknown_district_gets_a_price(all_trained: dict[str, Timed]) -> None:
    """A category that training never met is no error."""
    model = all_trained["house-prices"].model
    assert isinstance(model.sample, pd.DataFrame)
    house = model.sample.head(1).assign(location="Atlantis")
    assert model.estimator.predict(house)[0] > 0


def test_movies_beat_popularity_on_new_viewers(recommender: movies.MovieRecommender) -> None:
    """For viewers it has never seen the model finds the next film more often than popularity."""
    histories = viewers.viewing_histories(1000, seed=UNSEEN_SEED)
    rows = [" | ".join(films[:-1]) for films in histories]
    next_films = [films[-1] for films in histories]
    by_taste = movies.hit_rate(recommender.predict(rows), next_films)
    popular = movies.popular_unwatched(recommender.titles_, rows)
    assert by_taste > 1.25 * movies.hit_rate(popular, next_films)


def test_movies_never_name_what_was_watched(all_trained: dict[str, Timed]) -> None:
    """Ten different films come out, none of which is in the row."""
    model = all_trained["movies"].model
    for row, ranked in zip(model.sample, model.estimator.predict(model.sample), strict=True):
        assert len(set(ranked)) == 10
        assert not set(ranked) & set(row.split(" | "))


def test_movies_follow_a_taste(recommender: movies.MovieRecommender) -> None:
    """Somebody who watched two space films is shown science fiction first."""
    science_fiction = viewers.FILMS["science fiction"]
    ranked = recommender.predict(["Alien | Blade Runner"])[0]
    assert all(title in science_fiction for title in ranked[:3])


@pytest.mark.parametrize(
    "row",
    [
        "Alien | Blade Runner | A Film Nobody Made",
        "Blade Runner | Alien",
        "alien|BLADE RUNNER",
        " Alien |  | Blade Runner | Alien ",
    ],
    ids=["unknown title", "other order", "other case", "blanks and repeats"],
)
def test_movies_ignore_what_says_nothing(row: str, recommender: movies.MovieRecommender) -> None:
    """Unknown titles, order, case, blanks and repeats don't change the ranking."""
    np.testing.assert_array_equal(
        recommender.predict([row]), recommender.predict(["Alien | Blade Runner"])
    )


@pytest.mark.parametrize("row", ["", "A Film Nobody Made", "Nor This | Nor That"])
def test_movies_without_a_known_title(row: str, recommender: movies.MovieRecommender) -> None:
    """Somebody of whom nothing is known is shown the most popular films."""
    np.testing.assert_array_equal(recommender.predict([row])[0], recommender.titles_[:10])


def test_movies_run_out(recommender: movies.MovieRecommender) -> None:
    """When fewer than ten films are left, they come first and the rest is empty."""
    ranked = recommender.predict([" | ".join(recommender.titles_[3:])])[0]
    assert sorted(ranked[:3]) == sorted(recommender.titles_[:3])
    assert set(ranked[3:]) == {""}


def test_movies_rank_a_row_alike_alone_and_in_a_batch(all_trained: dict[str, Timed]) -> None:
    """The rows that happen to be batched with a row don't change its ranking."""
    model = all_trained["movies"].model
    alone = np.vstack([model.estimator.predict([row]) for row in model.sample[:200]])
    np.testing.assert_array_equal(model.estimator.predict(model.sample)[:200], alone)


def test_movies_break_ties_by_popularity_then_by_title() -> None:
    """Films that are equally like the watched one come in a fixed order."""
    histories = ["Heat | Up", "Heat | Moon", "Moon", "Ring | Borat", "Borat | Ring"]
    for shuffled in (histories, histories[::-1]):
        fitted = movies.MovieRecommender().fit(shuffled)
        assert fitted.titles_.tolist() == ["Borat", "Heat", "Moon", "Ring", "Up"]
        assert fitted.predict(["Up"])[0].tolist() == ["Heat", "Borat", "Moon", "Ring", ""]


@pytest.mark.parametrize("shared", [(1, 2, 4), (1, 4, 2), (2, 1, 4), (2, 4, 1), (4, 1, 2)])
def test_movies_tie_when_the_same_parts_are_added_in_another_order(
    shared: tuple[int, int, int],
) -> None:
    """Rounding in a sum decides no ranking: Alien and Zodiac have the same parts, so they tie."""
    watched = ("Heat", "Jaws", "Moon")
    histories = []
    for title, with_alien, with_zodiac in zip(watched, (1, 2, 4), shared, strict=True):
        histories += [f"{title} | Alien"] * with_alien + [f"{title} | Zodiac"] * with_zodiac
        histories += [title] * (20 - with_alien - with_zodiac)
    for names in ({}, {"Alien": "Zodiac", "Zodiac": "Alien"}):
        renamed = [" | ".join(names.get(t, t) for t in row.split(" | ")) for row in histories]
        ranked = movies.MovieRecommender().fit(renamed).predict([" | ".join(watched)])[0]
        assert ranked[:2].tolist() == ["Alien", "Zodiac"]
