"""The command report: a study's files, the studies that there are, two of them, and exit codes."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from loadtest.report import listing
from loadtest.report.summary import BEGIN, END
from loadtest.study import folder
from loadtest.study.folder import save
from loadtest.study.study import Study
from tests.loadtest.studies import make_study


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder with two studies: `slow`, and `fast`, which is newer."""
    for age, (name, alone) in enumerate((("slow", 500.0), ("fast", 600.0))):
        study = make_study((1, 2), alone=alone, noise=0.01, name=name)
        study.created += age
        save(study, tmp_path / name)
    return tmp_path


def run(*words: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["report", *map(str, words)])


def test_writes_the_report_and_says_where(results: Path) -> None:
    """The folder of a study gets its page, and the terminal the table and the path."""
    result = run(results / "slow")
    assert result.exit_code == 0, result.output
    assert str(results / "slow" / "report.html") in result.output
    assert "2 replicas of digits-forest give" in result.output
    for name in ("report.html", "summary.md", "runs.csv", "figures.csv", "throughput.png"):
        assert (results / "slow" / name).is_file()


def test_the_newest_is_the_default(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name it is about the last study that was begun."""
    monkeypatch.setattr(folder.find, "__defaults__", (results,))
    assert run().exit_code == 0
    assert (results / "fast" / "report.html").is_file()
    assert not (results / "slow" / "report.html").exists()


def test_a_study_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """What can't be found is a sentence and exit code 1."""
    result = run(tmp_path / "none")
    assert result.exit_code == 1
    assert "no study" in result.output


def test_markdown_is_printed_and_nothing_written(results: Path) -> None:
    """The summary goes to the terminal, for a pull request."""
    result = run(results / "slow", "--markdown")
    assert result.exit_code == 0
    assert "| replicas |" in result.output
    assert not (results / "slow" / "report.html").exists()


def test_readme_gets_the_summary_between_its_marks(results: Path) -> None:
    """The README's place is filled, with a link to the picture from where the README is."""
    readme = results / "docs" / "README.md"
    readme.parent.mkdir()
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        result = run(results / "slow", "--readme", readme)
        assert result.exit_code == 0, result.output
    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert text.count("](../slow/throughput.png)") == 1


def test_readme_without_marks_is_refused(results: Path) -> None:
    """Nothing is overwritten where the place isn't marked."""
    readme = results / "README.md"
    readme.write_text("text")
    result = run(results / "slow", "--readme", readme)
    assert result.exit_code == 1
    assert "expected the two lines" in result.output
    assert readme.read_text() == "text"


def test_list_shows_the_newest_first(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each study is a line with its highest peak; one that can't be read is named."""
    monkeypatch.setattr(listing.listing, "__defaults__", (results,))
    (results / "broken").mkdir()
    (results / "broken" / "study.json").write_text("{")
    result = run("--list")
    assert result.exit_code == 0, result.output
    lines = [line.split()[0] for line in result.output.splitlines() if line.strip()]
    assert lines[:3] == ["study", "fast", "slow"]
    assert "broken" in result.output


def test_list_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no study, it says what makes one."""
    monkeypatch.setattr(listing.listing, "__defaults__", (tmp_path,))
    result = run("--list")
    assert result.exit_code == 1
    assert "flotilla sweep" in result.output


def test_compare_writes_a_page(results: Path) -> None:
    """Both studies are in the table, the verdict in the first line, the page beside the second."""
    result = run("--compare", results / "slow", results / "fast")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Peak of fast against slow: faster with 1, 2 (")
    assert (results / "fast" / "comparison.html").is_file()


@pytest.mark.parametrize(
    ("pair", "percent", "code"),
    [
        (("fast", "slow"), 5, 1),
        (("fast", "slow"), 40, 0),
        (("slow", "fast"), 0, 0),
        (("slow", "slow"), 0, 0),
    ],
)
def test_fail_if_slower(pair: tuple[str, str], percent: int, code: int, results: Path) -> None:
    """A pipeline fails where it became slower by more than is allowed, and at nothing else."""
    first, second = (results / name for name in pair)
    result = run("--compare", first, second, "--fail-if-slower", percent)
    assert result.exit_code == code, result.output
    assert ("--fail-if-slower allows" in result.output) == bool(code)


def test_what_cannot_be_compared_does_not_pass(results: Path) -> None:
    """A pipeline isn't green because nothing could be said; without it, it's a warning."""
    other: Study = make_study((1, 2), alone=900)
    other.hardware["cpu"] = "Another"
    save(other, results / "other")
    pair = ("--compare", results / "slow", results / "other")
    assert run(*pair).exit_code == 0
    assert "can't be compared: other cpu" in run(*pair).output
    result = run(*pair, "--fail-if-slower", 5)
    assert result.exit_code == 1
    assert "can't be compared" in result.output


def test_fail_if_slower_needs_two(results: Path) -> None:
    """Slower than what? That is wrong usage."""
    assert run(results / "slow", "--fail-if-slower", 5).exit_code == 2


def test_compare_as_markdown(results: Path) -> None:
    """The comparison for a pull request, and nothing written."""
    result = run("--compare", results / "slow", results / "fast", "--markdown")
    assert "| replicas | figure | slow | fast | change |" in result.output
    assert not (results / "fast" / "comparison.html").exists()
