"""Errors: one small tree, in which each class knows what it is in HTTP."""

import pytest

from service import errors


@pytest.mark.parametrize(
    ("error", "status", "retry_after_seconds"),
    [
        (errors.FlotillaError, 500, None),
        (errors.BadInput, 400, None),
        (errors.NotFound, 404, None),
        (errors.MethodNotAllowed, 405, None),
        (errors.BodyTooLarge, 413, None),
        (errors.WrongContentType, 415, None),
        (errors.Overloaded, 429, 1),
        (errors.NotReady, 503, 1),
        (errors.TooLate, 504, None),
    ],
)
def test_status(
    error: type[errors.FlotillaError], status: int, retry_after_seconds: int | None
) -> None:
    """Every error has its status, and what passes by itself says when to try again."""
    made = error("the sentence")
    assert isinstance(made, errors.FlotillaError)
    assert (made.status, made.message, made.retry_after_seconds) == (
        status,
        "the sentence",
        retry_after_seconds,
    )
