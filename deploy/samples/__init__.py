"""The sample models by the name they are published under, each with the function that trains it."""

from collections.abc import Callable, Mapping

from deploy.samples import digits, house_prices, movies, spam
from deploy.samples.trained import TrainedModel

SAMPLES: Mapping[str, Callable[[], TrainedModel]] = {
    "digits": digits.train,
    "digits-forest": digits.train_forest,
    "spam": spam.train,
    "house-prices": house_prices.train,
    "movies": movies.train,
}
