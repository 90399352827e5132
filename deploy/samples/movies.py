"""The films somebody has watched in, ten ranked films out: a recommender with its own estimator.

Called through `SAMPLES`; whatever loads the published model imports `MovieRecommender` from here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from deploy.samples.trained import TrainedModel
from deploy.samples.viewers import viewing_histories

SEED = 0
N_RANKED = 10
SEPARATOR = " | "


class MovieRecommender(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Rank the films that share most viewers with those already watched.

    Item-to-item collaborative filtering with cosine similarity (Sarwar et al., 2001). A row is one
    string: titles joined by " | ", in any order and case. `titles_` and the columns of
    `similarity_` are ordered by popularity, so that among equal scores the better known film wins.
    """

    def fit(self, histories: Sequence[str], y: None = None) -> "MovieRecommender":
        """Learn how alike any two films are from what each viewer has watched."""
        spelling = {title.lower(): title for row in histories for title in _titles(row)}
        viewers = Counter(
            title for row in histories for title in {title.lower() for title in _titles(row)}
        )
        popular = sorted(viewers, key=lambda title: (-viewers[title], title))
        self.titles_ = np.array([spelling[title] for title in popular])
        self.column_ = {title: column for column, title in enumerate(popular)}

        watched = self._watched(histories)
        together = watched.T @ watched
        n_viewers = np.diag(together)
        cosine = together / np.sqrt(np.outer(n_viewers, n_viewers))
        # In steps of 2^-20 a sum is exact in any order, so that a row's ranking doesn't depend on
        # the batch it came in: BLAS adds up a single row and a matrix differently.
        self.similarity_ = np.round(cosine * 2**20) / 2**20
        return self

    def predict(self, rows: Iterable[str]) -> NDArray[np.str_]:
        """Return the ten best titles for each row, best first, as an array (rows, 10).

        Unknown titles are ignored; a row without a known one gets the most popular films. Watched
        films are never named: when fewer than ten others are left, the rest is empty strings.
        """
        watched = self._watched(list(rows))
        scores = np.where(watched > 0, -np.inf, watched @ self.similarity_)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :N_RANKED]
        left = np.take_along_axis(watched, best, axis=1) == 0
        return np.where(left, self.titles_[best], "")

    def _watched(self, rows: Sequence[str]) -> NDArray[np.float64]:
        """Return a matrix (rows, films) that holds 1 where the film was watched."""
        watched = np.zeros((len(rows), len(self.titles_)))
        for line, row in enumerate(rows):
            for title in _titles(row):
                column = self.column_.get(title.lower())
                if column is not None:
                    watched[line, column] = 1
        return watched


def _titles(row: str) -> list[str]:
    """Split a row into titles."""
    return [title.strip() for title in row.split(SEPARATOR.strip()) if title.strip()]


def popular_unwatched(titles: Iterable[str], rows: Iterable[str]) -> NDArray[np.str_]:
    """Rank by popularity alone, the baseline: the first ten of `titles` that a row doesn't hold."""
    ranked = list(titles)
    return np.array([[t for t in ranked if t not in _titles(row)][:N_RANKED] for row in rows])


def hit_rate(ranked: NDArray[np.str_], next_films: Sequence[str]) -> float:
    """Return the share of rows whose next film is among the ranked ones."""
    hits = ranked == np.array(next_films)[:, np.newaxis]
    return round(float(hits.any(axis=1).mean()), 4)


def train() -> TrainedModel:
    """Train on 3,000 viewers; for 500 others, tell the last film from those before it."""
    histories = viewing_histories(3500, seed=SEED)
    rows = [SEPARATOR.join(films[:-1]) for films in histories[3000:]]
    next_films = [films[-1] for films in histories[3000:]]
    estimator = MovieRecommender().fit([SEPARATOR.join(films) for films in histories[:3000]])
    baseline = popular_unwatched(estimator.titles_, rows)
    return TrainedModel(
        name="movies",
        description="Ranks ten films for somebody by what they have watched (item similarity).",
        estimator=estimator,
        sample=rows,
        metrics={
            "hit_rate_at_10": hit_rate(estimator.predict(rows), next_films),
            "hit_rate_at_10_by_popularity": hit_rate(baseline, next_films),
        },
        trusted=("deploy.samples.movies.MovieRecommender",),
    )
