"""A house as a row of named columns in, its price in euros out: a regression on a mixed table.

The houses are those of an invented town, drawn from a seed. Called through `SAMPLES`.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from deploy.samples.trained import TREE_TYPE, TrainedModel

SEED = 0
CATEGORICAL = ["location", "condition", "has_garden"]
NUMERIC = ["size_m2", "rooms", "year_built"]

# District: price of a square metre in euros, share of houses with a garden.
DISTRICTS = {
    "Old Town": (6200.0, 0.10),
    "Harbour": (5600.0, 0.05),
    "University": (5100.0, 0.20),
    "Riverside": (4700.0, 0.45),
    "Hillcrest": (4300.0, 0.80),
    "Garden Suburb": (3600.0, 0.90),
    "Station Quarter": (3300.0, 0.15),
    "Millfields": (2700.0, 0.60),
}
# Condition: what it makes of the price, how often it is met.
CONDITIONS = {
    "new": (1.25, 0.15),
    "renovated": (1.10, 0.30),
    "good": (1.00, 0.40),
    "needs work": (0.78, 0.15),
}


def houses(n_houses: int, seed: int) -> pd.DataFrame:
    """Draw houses that have been sold: the six columns of a row and `price_eur`."""
    rng = np.random.default_rng(seed)
    location = rng.choice(list(DISTRICTS), n_houses)
    shares = [share for _, share in CONDITIONS.values()]
    condition = rng.choice(list(CONDITIONS), n_houses, p=shares)
    garden = rng.random(n_houses) < [DISTRICTS[district][1] for district in location]
    size_m2 = np.clip(rng.lognormal(4.6, 0.4, n_houses), 25, 400).round(1)
    rooms = np.clip(np.rint(size_m2 / 27 + rng.normal(0, 0.8, n_houses)), 1, 12).astype(np.int64)
    built = rng.integers(1900, 2026, n_houses)

    price = size_m2 * [DISTRICTS[district][0] for district in location]
    price *= [CONDITIONS[state][0] for state in condition]
    # Houses lose value with their age until they are old enough to be sought after.
    price *= np.where(built < 1930, 1.08, 1 - 0.002 * (2025 - built))
    # The next square metre of a large house is worth less than the first of a small one.
    price *= (size_m2 / 100) ** -0.12
    price += np.where(garden, 28_000, 0) + 6_000 * rooms
    price *= rng.lognormal(0, 0.09, n_houses)
    return pd.DataFrame(
        {
            "location": location,
            "size_m2": size_m2,
            "rooms": rooms,
            "year_built": built,
            "condition": condition,
            "has_garden": np.where(garden, "yes", "no"),
            "price_eur": price.round(-2),
        }
    )


def train() -> TrainedModel:
    """Train gradient-boosted trees on 3,000 houses and measure them on 1,000 others."""
    sold = houses(4000, seed=SEED)
    columns = sold.drop(columns="price_eur")
    train_columns, test_columns, train_price, test_price = train_test_split(
        columns, sold["price_eur"], test_size=1000, random_state=SEED
    )
    estimator = make_pipeline(
        make_column_transformer(
            # A district that nobody has sold in yet gets a price from the other columns.
            (OneHotEncoder(handle_unknown="ignore"), CATEGORICAL),
            (StandardScaler(), NUMERIC),
        ),
        GradientBoostingRegressor(n_estimators=200, max_depth=4, random_state=SEED),
    )
    estimator.fit(train_columns, train_price)
    predicted = estimator.predict(test_columns)
    return TrainedModel(
        name="house-prices",
        description="Estimates the price of a house in euros from its place, size, age and state.",
        estimator=estimator,
        sample=test_columns.reset_index(drop=True),
        metrics={
            "r2": round(float(r2_score(test_price, predicted)), 4),
            "mean_absolute_error_eur": round(float(mean_absolute_error(test_price, predicted)), 2),
        },
        trusted=(TREE_TYPE,),
    )
