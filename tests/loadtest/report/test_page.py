"""The page: whole in one file, the study's figures in it, and nothing that a study says is markup."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploy.top.cells import NOTHING, number, seconds
from loadtest.report.report import write_report
from loadtest.study.figures import efficiency, objective_rate, peak, quantile, runs_for
from loadtest.study.study import Finding, Host
from tests.loadtest.report.odd_studies import HOSTILE, ODD, hostile, interrupted
from tests.loadtest.report.pages import Page
from tests.loadtest.studies import make_study


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report of a study without a fault."""
    folder = tmp_path_factory.mktemp("made")
    write_report(make_study(), folder)
    return folder


def page_of(folder: Path) -> Page:
    """Return the page in a folder."""
    return Page((folder / "report.html").read_text())


def test_needs_nothing_else(written: Path) -> None:
    """What the page names is in the page: it opens from a mail, offline, and asks nobody."""
    content = (written / "report.html").read_text()
    page = page_of(written)
    assert page.loaded
    assert all(each.startswith("#") for each in page.loaded)
    assert {each.removeprefix("#") for each in page.loaded} <= set(page.ids)
    assert not re.search(r"https?:|@import|url\((?!#)|//[a-z]", content)
    assert not {"script", "link", "iframe", "img", "object", "embed", "base"} & set(page.tags)


def test_ids_are_unique(written: Path) -> None:
    """A plot's reference finds its own clip path and glyphs, not another plot's."""
    ids = page_of(written).ids
    assert len(ids) == len(set(ids))


def test_every_plot_is_in_it(written: Path) -> None:
    """Each picture of the folder is on the page as well, drawn in its colours."""
    pictures = {file.stem for file in written.glob("*.png")}
    assert pictures == {
        "throughput",
        "latency",
        "latency-by-rate",
        "distribution",
        "balance",
        *(f"timeline-{count}" for count in (1, 2, 4, 8)),
    }
    page = page_of(written)
    assert pictures <= set(page.ids)
    assert page.tags.count("svg") == len(pictures)


def test_steps_have_the_studys_figures(written: Path) -> None:
    """What the table of steps says is what `loadtest.study.figures` says of the study."""
    study = make_study()
    linear = efficiency(study)
    rows = page_of(written).rows("replicas")
    assert [row[0] for row in rows] == ["1", "2", "4", "8"]
    for row, step in zip(rows, study.steps, strict=True):
        found, within = peak(step), objective_rate(step)
        p99 = quantile(runs_for(step, "objective"), 0.99)
        assert found
        assert within
        assert p99
        assert row[1] == number(found.median)
        assert row[3] == number(found.median / step.replicas)
        assert float(row[4].removesuffix(" %")) == pytest.approx(100 * linear[step.replicas], abs=1)
        assert row[5] == number(within.median)
        assert row[7] == seconds(p99.median)


def test_same_study_same_bytes(written: Path, tmp_path: Path) -> None:
    """Nothing of when and where a report was written is in it: a rewritten one shows no difference."""
    for file in write_report(make_study(), tmp_path):
        assert file.read_bytes() == (written / file.name).read_bytes(), file.name


def test_failed_checks_come_first(tmp_path: Path) -> None:
    """A refused run is listed before a marked one, with its sentence; no figure is taken from it."""
    study = make_study((1, 8))
    study.steps[0].runs[1].findings = [Finding("steal", "marked", "3 % were stolen")]
    study.steps[1].runs[2].findings = [Finding("replies", "refused", "4 replies are missing")]
    study.steps[1].runs[2].ok *= 3
    write_report(study, tmp_path)
    page = page_of(tmp_path)
    rows = page.rows("check")
    assert [(row[1], row[2], row[4]) for row in rows] == [
        ("refused", "8", "4 replies are missing"),
        ("marked", "1", "3 % were stolen"),
    ]
    steps = page.rows("replicas")
    assert [row[-1] for row in steps] == ["marked", "marked"]
    assert float(steps[1][1].replace(",", "")) < 4000


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_odd_studies_have_a_report_that_says_so(make: object, tmp_path: Path) -> None:
    """Whatever is missing, everything is written, and the page says in words what there isn't."""
    assert callable(make)
    files = write_report(make(), tmp_path)
    assert all(file.stat().st_size for file in files if file.name != "runs.csv")
    assert ODD[make] in page_of(tmp_path).text


def test_texts_of_a_study_are_only_text(tmp_path: Path) -> None:
    """A model's name or a reply's body is shown as it is: it makes no element, link or handler."""
    write_report(hostile(), tmp_path)
    page = page_of(tmp_path)
    assert "script" not in page.tags
    assert all(each.startswith("#") for each in page.loaded)
    assert HOSTILE in page.text


@pytest.mark.parametrize(
    ("text", "bracketed"),
    [("peak: 3 runs differ", (1, 4)), ("objective: no run kept it", (5, 7)), ("both", (1, 4, 5, 7))],
)
def test_what_a_steps_checks_refuse_is_in_brackets(
    text: str, bracketed: tuple[int, ...], tmp_path: Path
) -> None:
    """A refused figure is shown, but not as one that counts, and the headline is of another step."""
    study = make_study((1, 2))
    study.steps[1].findings = [Finding("repetitions", "refused", text)]
    write_report(study, tmp_path)
    page = page_of(tmp_path)
    fine, doubted = page.rows("replicas")
    assert [index for index in (1, 4, 5, 7) if doubted[index].startswith("(")] == list(bracketed)
    assert not any(cell.startswith("(") for cell in fine)
    assert doubted[-1] == "refused"
    assert ("2 replicas of digits-forest give" in page.text) == (1 not in bracketed)


def test_the_headline_is_of_replicas_not_of_the_machine(tmp_path: Path) -> None:
    """A step that the host ended is named with its reason, and the step before it is the result."""
    study = make_study((1, 2, 4))
    for run in study.steps[2].runs:
        server = run.server
        assert server.parts
        idle = {
            name: replace(part, cpu_seconds=part.cpu_seconds / 2, throttled_periods=0)
            for name, part in server.parts.items()
        }
        run.server = replace(server, parts=idle, host=Host(cores=2, busy_share=0.98, steal_share=0.0))
    write_report(study, tmp_path)
    text = page_of(tmp_path).text.replace("\xa0", " ")
    assert "2 replicas of digits-forest give" in text
    assert "With 4 replicas it wasn't they that ended: the host's cores were 98 % busy" in text


def test_one_repetition_has_no_spread(tmp_path: Path) -> None:
    """How much a figure varies isn't known from one run: it isn't 0 %."""
    write_report(interrupted(), tmp_path)
    first, second = page_of(tmp_path).rows("replicas")
    assert first[2].endswith(" %")
    assert second[2] == NOTHING
    assert second[-1].endswith("incomplete")
