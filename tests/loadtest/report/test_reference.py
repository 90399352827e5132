"""What git keeps of studies: the reference study that the README shows, and no other."""

import subprocess

import pytest

from loadtest.bench.processes import ROOT


def ignored(path: str) -> bool:
    """Say whether git ignores a path of the project."""
    done = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)
    assert done.returncode in (0, 1), "no repository"
    return done.returncode == 0


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    "name", ["study.json", "report.html", "throughput.png", "runs.csv", "figures.csv", "summary.md"]
)
def test_only_the_reference_study_is_kept(name: str) -> None:
    """The report of the reference study can be committed, that of a study of one's own isn't."""
    assert not ignored(f"loadtest/results/reference/{name}")
    assert ignored(f"loadtest/results/digits-forest-20260101-000000/{name}")
