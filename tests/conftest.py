"""Shared by all tests: programs that must be there, and the five samples, published once."""

from pathlib import Path

import pytest

from tests.needs import require


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for a test's programs before its fixtures try to start them."""
    for marker in item.iter_markers("needs"):
        require(*marker.args)


@pytest.fixture(scope="session")
def sample_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which all five samples are published and routed; not to be changed."""
    from deploy.samples.__main__ import publish_samples  # brings scikit-learn, which is slow to import

    registry = tmp_path_factory.mktemp("samples") / "registry"
    publish_samples(registry, say=lambda text: None)
    return registry
