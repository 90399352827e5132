"""Shared by all tests: programs that must be there, and the five samples, published once."""

import os
import shutil
from pathlib import Path

import pytest

# Debian keeps daemons where only root's PATH looks.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs are missing, before its fixtures try to start them."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program, path=PROGRAM_PATH) is None:
                reason = f"needs {program}, which isn't installed"
                if os.environ.get("CI"):
                    pytest.fail(f"{reason}; CI skips nothing", pytrace=False)
                pytest.skip(reason)


@pytest.fixture(scope="session")
def sample_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which all five samples are published and routed; not to be changed."""
    from deploy.samples.__main__ import publish_samples  # brings scikit-learn, which is slow to import

    registry = tmp_path_factory.mktemp("samples") / "registry"
    publish_samples(registry, say=lambda text: None)
    return registry
