"""What a test needs: where it is missing the test is skipped by name, and in CI it fails."""

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.needs import require


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_is_there(ci: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test whose programs are there runs."""
    monkeypatch.setenv("CI", ci)
    require("sh", "ls")


@pytest.mark.parametrize(("ci", "outcome"), [("", Skipped), ("true", Failed)])
def test_what_is_missing(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing program is named; CI skips nothing."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="needs no-such-program, which isn't installed"):
        require("sh", "no-such-program")
