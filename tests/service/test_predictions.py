"""The prediction routes: which paths are theirs."""

import pytest

from service.predictions import PREDICTION_PATH


@pytest.mark.parametrize(
    ("path", "protocol", "model", "version"),
    [
        ("/v1/models/digits:predict", "v1", "digits", None),
        ("/v1/models/digits/versions/3:predict", "v1", "digits", "3"),
        ("/v2/models/digits/infer", "v2", "digits", None),
        ("/v2/models/digits/versions/3/infer", "v2", "digits", "3"),
        ("/v2/models/predict/infer", "v2", "predict", None),
        ("/v1/models/house-prices.v2_1:predict", "v1", "house-prices.v2_1", None),
    ],
)
def test_prediction_path(path: str, protocol: str, model: str, version: str | None) -> None:
    """A prediction path names its protocol, its model and, if it does, a version."""
    match = PREDICTION_PATH.fullmatch(path)
    assert match is not None
    assert (match["protocol"], match["model"], match["version"]) == (protocol, model, version)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/models",
        "/v1/models/digits",
        "/v1/models/digits/infer",
        "/v2/models/digits:predict",
        "/v2/models/digits",
        "/v2/models/digits/ready",
        "/v3/models/digits:predict",
        "/v1/models/:predict",
        "/v2/models//infer",
        "/v1/models/a/b:predict",
        "/v1/models/digits/versions/:predict",
        "/v1/models/digits/versions/1/2:predict",
        "/v1/models/digits:explain",
        "/v1/models/digits:predict/",
        "/v1/models/digits:predict\n",
        "/x/v1/models/digits:predict",
        "/metrics",
    ],
)
def test_any_other_path(path: str) -> None:
    """Every other path is Flask's."""
    assert PREDICTION_PATH.fullmatch(path) is None
