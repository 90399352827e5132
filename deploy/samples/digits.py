"""Hand-written digits, 8 x 8 pixels from 0 to 16 in, the digit out: a light model and a heavy one.

The images are the ones bundled with scikit-learn. Called through `SAMPLES`.
"""

from typing import Any

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deploy.samples.trained import TREE_TYPE, TrainedModel

SEED = 0


def train() -> TrainedModel:
    """Train the light model: a logistic regression on standardised pixels."""
    return _evaluated(
        name="digits",
        description="Recognises a hand-written digit from 8 x 8 pixels (logistic regression).",
        estimator=make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    )


def train_forest() -> TrainedModel:
    """Train the heavy model: 200 trees, about thirty times the light one's work for a row."""
    return _evaluated(
        name="digits-forest",
        description="Recognises a hand-written digit from 8 x 8 pixels (a forest of 200 trees).",
        # One thread: replicas share the cores already, and starting threads for each call of a
        # few rows takes longer than the trees do.
        estimator=RandomForestClassifier(n_estimators=200, n_jobs=1, random_state=SEED),
        trusted=(TREE_TYPE,),
    )


def _evaluated(
    name: str, description: str, estimator: Any, trusted: tuple[str, ...] = ()
) -> TrainedModel:
    """Fit `estimator` on three quarters of the images and measure it on the others."""
    pixels, digits = load_digits(return_X_y=True)
    train_pixels, test_pixels, train_digits, test_digits = train_test_split(
        pixels, digits, test_size=0.25, stratify=digits, random_state=SEED
    )
    estimator.fit(train_pixels, train_digits)
    accuracy = accuracy_score(test_digits, estimator.predict(test_pixels))
    return TrainedModel(
        name=name,
        description=description,
        estimator=estimator,
        sample=test_pixels,
        metrics={"accuracy": round(float(accuracy), 4)},
        trusted=trusted,
    )
