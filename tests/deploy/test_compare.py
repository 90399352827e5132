"""Comparing versions offline: what differs is counted exactly, what can't be compared is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from deploy.cli import main
from deploy.compare import compare
from deploy.comparison import Example, Pair, Spread, differ_in_labels, differ_in_numbers
from deploy.errors import Refused
from tests.published import LINE_SAMPLE, damage, line, published

NUMBERS = np.arange(-10.0, 10.0).reshape(-1, 1)


def above(limit: float) -> LogisticRegression:
    """Return a classifier that says high for a number above a limit between two whole ones."""
    return LogisticRegression(C=1e6).fit(NUMBERS, np.where(NUMBERS[:, 0] > limit, "high", "low"))


CITIES = pd.DataFrame({"city": ["Rome", "Oslo"] * 5, "size": np.arange(10.0), "target": [0, 1] * 5})


def table_model(unknown: str = "ignore", columns: tuple[str, ...] = ("city", "size")) -> Any:
    """Return a regression on some columns of `CITIES`; `unknown` says what a new city does."""
    encoder = OneHotEncoder(handle_unknown=unknown, sparse_output=False)
    model = make_pipeline(
        make_column_transformer((encoder, ["city"]), remainder="passthrough"), LinearRegression()
    )
    return model.fit(CITIES[list(columns)], CITIES["size"])


TEXTS = ["good film", "bad film", "good day", "bad day"]


def text_model(labels: str) -> Any:
    """Return a classifier of texts, which learns a letter for each of `TEXTS`."""
    return make_pipeline(CountVectorizer(), LogisticRegression(C=1e6)).fit(TEXTS, list(labels))


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return where a registry will be, as the command line finds it."""
    return tmp_path / "registry"


def flotilla(registry: Path, *words: str) -> Result:
    """Run a command on a registry."""
    return CliRunner().invoke(main, ["compare", *words], env={"FLOTILLA_HOME": str(registry.parent)})


def refusal(registry: Path, model: str, sample: Any = None, second: int = 2) -> str:
    """Return the sentence with which a comparison is refused."""
    with pytest.raises(Refused) as refused:
        compare(registry, model, 1, second, sample)
    return str(refused.value)


def test_equal_versions(registry: Path) -> None:
    """Versions with the same answers differ nowhere; without data the second one's sample is asked."""
    published(registry, "line", line(2.0))
    published(registry, "line", line(2.0), LINE_SAMPLE[:4])
    found = compare(registry, "line", 1, 2)
    assert (found.rows, found.disagreeing, found.rate, found.examples) == (4, 0, 0.0, [])
    assert found.absolute == found.relative == Spread(0.0, 0.0, 0.0, 0.0)
    assert (found.output, found.pairs) == ("predict", [])
    for side, version in ((found.first, 1), (found.second, 2)):
        assert (side.version, side.engine, side.failed, side.reason) == (version, "linear", 0, "")
        assert side.row_us > 0


def test_numbers(registry: Path) -> None:
    """Of numbers the differences are summed up; those within the tolerance don't count as differing."""
    published(registry, "line", line(1.0))
    published(registry, "line", line(1.25))
    rows = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 8.0], [400.0, 0.0]])
    found = compare(registry, "line", 1, 2, rows, tolerance=0.19)
    assert (found.rows, found.disagreeing, found.rate) == (4, 3, 0.75)
    spread = [found.absolute.mean, found.absolute.median, found.absolute.p99, found.absolute.max]
    np.testing.assert_allclose(spread, [25.75, 1.5, np.percentile([0, 1, 2, 100], 99), 100])
    relative = [found.relative.mean, found.relative.median, found.relative.max]
    np.testing.assert_allclose(relative, [0.15, 0.2, 0.2])
    assert [each.row for each in found.examples] == [1, 2, 3]
    np.testing.assert_allclose([found.examples[0].first, found.examples[0].second], [4.0, 5.0])
    assert compare(registry, "line", 1, 2, rows, tolerance=0.21).disagreeing == 0


def test_labels(registry: Path) -> None:
    """Of labels each pair that differs is counted, and the first rows are shown with both answers."""
    published(registry, "sign", above(-0.5), NUMBERS, engine="sklearn")
    published(registry, "sign", above(2.5), NUMBERS, engine="sklearn")
    found = compare(registry, "sign", 1, 2, NUMBERS)
    assert (found.rows, found.disagreeing, found.rate) == (20, 3, 0.15)
    assert found.pairs == [Pair("high", "low", 3)]
    assert found.examples == [Example(row, "high", "low") for row in (10, 11, 12)]
    assert found.absolute is found.relative is None
    assert compare(registry, "sign", 2, 1, NUMBERS).pairs == [Pair("low", "high", 3)]


def test_many_rows(registry: Path) -> None:
    """More rows than a call takes are all counted, in their order."""
    published(registry, "sign", above(-0.5), NUMBERS, engine="sklearn")
    published(registry, "sign", above(2.5), NUMBERS, engine="sklearn")
    rows = np.concatenate([np.full((1000, 1), 9.0), np.ones((7, 1))])
    found = compare(registry, "sign", 1, 2, rows)
    assert (found.rows, found.disagreeing) == (1007, 7)
    assert [each.row for each in found.examples] == [1000, 1001, 1002, 1003, 1004]


def test_table(registry: Path) -> None:
    """A data frame may have its columns in any order, and more of them."""
    for unknown in ("ignore", "error"):
        published(registry, "cities", table_model(unknown), CITIES, engine="sklearn")
    found = compare(registry, "cities", 1, 2, CITIES[["target", "size", "city"]])
    assert (found.rows, found.disagreeing) == (10, 0)


def test_columns_in_another_order(registry: Path) -> None:
    """Each version gets its columns in its own order."""
    for columns in (("city", "size"), ("size", "city")):
        model = table_model(columns=columns)
        published(registry, "cities", model, CITIES, engine="sklearn")
    found = compare(registry, "cities", 1, 2)
    assert (found.rows, found.disagreeing) == (10, 0)
    assert found.signature == ["the columns are in another order, and rows may be lists"]


def test_row_that_only_one_takes(registry: Path) -> None:
    """A row that one version refuses differs, with the model's own words; the others are compared."""
    for unknown in ("ignore", "error"):
        published(registry, "cities", table_model(unknown), CITIES, engine="sklearn")
    rows = pd.DataFrame({"city": ["Rome", "Atlantis", "Oslo"], "size": [1.0, 2.0, 3.0]})
    found = compare(registry, "cities", 1, 2, rows)
    assert (found.disagreeing, found.first.failed, found.second.failed) == (1, 0, 1)
    assert "cities can't use this input" in found.second.reason
    (example,) = found.examples
    assert (example.row, example.second) == (1, None)
    assert found.absolute.max < 1e-9
    again = compare(registry, "cities", 2, 2, rows)
    assert (again.disagreeing, again.first.failed) == (0, 1), "that both refuse it is no difference"


def test_texts(registry: Path) -> None:
    """Texts come as a list, or as the column of that name."""
    published(registry, "texts", text_model("gbgb"), TEXTS, engine="sklearn")
    published(registry, "texts", text_model("ffdd"), TEXTS, engine="sklearn")
    pairs = [Pair("g", "f", 1), Pair("b", "f", 1), Pair("g", "d", 1), Pair("b", "d", 1)]
    assert compare(registry, "texts", 1, 2).pairs == pairs
    assert compare(registry, "texts", 1, 2, pd.DataFrame({"text": TEXTS, "n": 1})).pairs == pairs


def test_own_sample_of_one_column(registry: Path) -> None:
    """The sample of a table with a single column is read as the table that it is."""
    frame = CITIES[["size"]] + 1
    for slope in (1.0, 2.0):
        model = LinearRegression().fit(frame, slope * frame["size"])
        published(registry, "sizes", model, frame)
    found = compare(registry, "sizes", 1, 2)
    assert (found.rows, found.disagreeing) == (10, 10)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (np.ones((3, 3)), "instances[0]: expected a list of 2 numbers, got a list of 3"),
        (np.ones(3), "instances[0]: expected a list of 2 numbers, got 1.0"),
        (np.array([[1.0, np.nan]]), "instances[0][1]: expected a number, got null"),
        (np.array([[1.0, 1.0], [1.0, np.inf]]), "row 1 holds an infinite number"),
        (["a"], "instances[0]: expected a list of 2 numbers, got the string 'a'"),
        (CITIES, "it has 3 columns (city, size, target), expected a list of 2 numbers; is the target"),
        (CITIES[["city", "size"]], "expected a list of 2 numbers: could not convert"),
        (np.ones((2, 2), dtype="M8[s]"), "instances[0][0]: expected a number, got the string"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_that_is_no_matrix(registry: Path, sample: Any, message: str) -> None:
    """Data that doesn't fit rows of numbers is refused with what came and what was expected."""
    published(registry, "line")
    said = refusal(registry, "line", sample, second=1)
    assert said.startswith("the data doesn't fit line version 1: ")
    assert message in said


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (CITIES[["city"]], "it lacks the column 'size'; its columns are: city"),
        (CITIES[["target"]], "it lacks the columns 'city', 'size'; its columns are: target"),
        (
            CITIES.assign(city=[*CITIES["city"][:9], None]),
            "instances[9].city: expected a string, got nul",
        ),
        (
            CITIES.assign(size=pd.array([None, *range(9)], dtype="Float64")),
            "instances[0].size: expected a number, got null",
        ),
        (CITIES.assign(city=1), "instances[0].city: expected a string, got 1"),
        (CITIES.assign(size="big"), "instances[0].size: expected a number, got the string 'big'"),
        (CITIES.assign(size=np.inf), "row 0 holds an infinite number"),
        (np.ones((2, 2)), "instances[0][0]: expected a string, got 1.0"),
        (TEXTS, "instances[0]: expected an object with the columns city (string), size (number)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_that_is_no_table(registry: Path, sample: Any, message: str) -> None:
    """The same for a model with named columns: the column is named."""
    published(registry, "cities", table_model(), CITIES, engine="sklearn")
    assert message in refusal(registry, "cities", sample, second=1)


def test_data_that_is_no_text(registry: Path) -> None:
    """The same for a model of texts."""
    published(registry, "texts", text_model("gbgb"), TEXTS, engine="sklearn")
    assert "expected a string, got a list of 2" in refusal(registry, "texts", LINE_SAMPLE, second=1)
    assert "it lacks the column 'text'" in refusal(registry, "texts", CITIES, second=1)


def test_gap_that_only_one_takes(registry: Path) -> None:
    """Versions of which one takes gaps can be compared, but not on rows with gaps."""
    gaps = CITIES.assign(size=[np.nan, *CITIES["size"][1:]])
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["city"]), remainder="drop"), LinearRegression()
    ).fit(CITIES[["city", "size"]], CITIES["size"])
    published(registry, "cities", model, gaps, engine="sklearn")
    published(registry, "cities", model, CITIES, engine="sklearn")
    assert compare(registry, "cities", 1, 2, CITIES).disagreeing == 0
    said = refusal(registry, "cities", gaps)
    assert said == (
        "the data doesn't fit cities version 2: instances[0].size: expected a number, got null"
    )


def test_signatures_that_differ(registry: Path) -> None:
    """Versions that take other rows, or answer otherwise, are refused, and how they differ is said."""
    published(registry, "line")
    published(registry, "line", LinearRegression().fit(np.eye(3), [1, 2, 3]), np.eye(3))
    said = refusal(registry, "line")
    assert said == ("line versions 1 and 2 can't be compared: a row had 2 numbers, now it has 3")
    for components in (1, 2):
        published(registry, "shape", PCA(components).fit(LINE_SAMPLE), LINE_SAMPLE)
    assert "'transform' had the shape (-1, 1), now it has (-1, 2)" in refusal(registry, "shape")


def test_further_output_that_is_gone(registry: Path) -> None:
    """Versions that differ in what isn't compared can be compared, and it is said."""
    published(registry, "sign", above(-0.5), NUMBERS, engine="sklearn")
    labels = np.where(NUMBERS[:, 0] > 2.5, "high", "low")
    tree = DecisionTreeClassifier().fit(NUMBERS, labels)
    trusted = ["sklearn.tree._tree.Tree"]
    published(registry, "sign", tree, NUMBERS, engine="sklearn", trusted=trusted)
    found = compare(registry, "sign", 1, 2)
    assert (found.disagreeing, found.pairs) == (3, [Pair("high", "low", 3)])
    assert found.signature == ["the output 'decision_function' is gone"]
    said = "Clients of version 1 would notice: the output 'decision_function' is gone"
    assert said in flotilla(registry, "sign", "1", "2").output
    assert compare(registry, "sign", 2, 1).signature == []


def test_broken_version(registry: Path) -> None:
    """A version whose files aren't what was published isn't opened."""
    published(registry, "line")
    published(registry, "line")
    damage(registry / "line" / "2" / "linear.npz")
    said = refusal(registry, "line")
    assert said.startswith("line version 2 can't be opened: linear.npz: its SHA-256 is ")


def test_missing_version(registry: Path) -> None:
    """A version that isn't there is refused, with those that are."""
    published(registry, "line")
    assert refusal(registry, "line") == f"line has no version 2 in {registry}; there are: 1"
    assert refusal(registry, "other").endswith(f"other has no version 1 in {registry}; there are: none")


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (1.0, 1.1, True),
        (1.0, 1.05, False),
        (-1.0, 1.0, True),
        (0.0, 0.0, False),
        (0.0, 1e-300, True),
        (float("nan"), float("nan"), False),
        (float("nan"), 1.0, True),
        (float("inf"), float("inf"), False),
        (float("inf"), 1.0, True),
        ([1.0, 2.0], [1.0, 2.0], False),
        ([1.0, 2.0], [1.0, 3.0], True),
        (None, None, False),
        (None, 1.0, True),
    ],
)
def test_numbers_that_are_alike(first: Any, second: Any, differs: bool) -> None:
    """Numbers are alike within the tolerance, and where neither is one; in either order."""
    assert bool(differ_in_numbers([first], [second], 0.09).places) is differs
    assert bool(differ_in_numbers([second], [first], 0.09).places) is differs


def test_pairs_are_ordered() -> None:
    """The most frequent pair comes first; several labels of one row are one label."""
    first = ["a", "a", "b", "c", None, [0, 1]]
    second = ["b", "a", "c", "b", "a", [1, 1]]
    pairs = differ_in_labels(first * 2 + ["b"], second * 2 + ["c"]).pairs
    assert pairs[0] == Pair("b", "c", 3)
    assert sorted(pair.rows for pair in pairs) == [2, 2, 2, 2, 3]
    assert Pair(None, "a", 2) in pairs
    assert Pair([0, 1], [1, 1], 2) in pairs


def test_command(registry: Path, tmp_path: Path) -> None:
    """The command reads the rows of a file and shows all of it as tables."""
    published(registry, "sign", above(-0.5), NUMBERS, engine="sklearn")
    published(registry, "sign", above(2.5), NUMBERS, engine="sklearn")
    (tmp_path / "rows.csv").write_text("x\n0\n1\n9\n")
    done = flotilla(registry, "sign", "1", "2", "--data", str(tmp_path / "rows.csv"))
    assert done.exit_code == 0
    words = [" ".join(row.split()) for row in done.output.splitlines()]
    assert "loading sign version 1 …" in words
    assert "2 of 3 rows differ in predict (0.6667)" in words
    assert "high low 2" in words
    assert "1 high low" in words


def test_command_without_data(registry: Path) -> None:
    """Without a file the command says whose rows it asks for."""
    published(registry, "line")
    published(registry, "line")
    done = flotilla(registry, "line", "1", "2")
    assert "the rows are the sample that version 2 was published with" in done.output
    assert "9 of 10 rows differ" not in done.output, "slopes 1 and 2 differ in all ten rows"
    assert "10 of 10 rows differ in predict (1)" in done.output
    assert "absolute" in done.output


def test_command_for_machines(registry: Path) -> None:
    """With --json nothing but JSON is printed."""
    published(registry, "line", line(1.0))
    published(registry, "line", line(2.0))
    found = json.loads(flotilla(registry, "line", "1", "2", "--json").stdout)
    assert (found["rows"], found["disagreeing"], found["rate"]) == (10, 10, 1.0)
    assert found["second"]["version"] == 2
    assert found["relative"]["max"] == pytest.approx(0.5)
    assert found["examples"][0].keys() == {"row", "first", "second"}


@pytest.mark.parametrize(("most", "code"), [("0.14", 1), ("0.15", 0), ("1", 0), ("0", 1)])
def test_fail_above(registry: Path, most: str, code: int) -> None:
    """A share of differing rows above --fail-above ends the command with 1, and it says so."""
    published(registry, "sign", above(-0.5), NUMBERS, engine="sklearn")
    published(registry, "sign", above(2.5), NUMBERS, engine="sklearn")
    done = flotilla(registry, "sign", "1", "2", "--json", "--fail-above", most)
    assert done.exit_code == code
    assert json.loads(done.stdout)["rate"] == 0.15
    said = f"3 of 20 rows differ in predict (0.15); --fail-above allows {most}"
    assert (said in done.stderr) is bool(code)


@pytest.mark.parametrize(
    "words", [["--tolerance", "-1"], ["--fail-above", "2"], ["--fail-above", "x"]], ids=" ".join
)
def test_wrong_options(registry: Path, words: list[str]) -> None:
    """An option that can't be used is a wrong usage, before anything is opened."""
    assert flotilla(registry, "line", "1", "2", *words).exit_code == 2


def test_command_refuses(registry: Path, tmp_path: Path) -> None:
    """What can't be compared is one sentence and exit code 1."""
    published(registry, "line")
    done = flotilla(registry, "line", "1", "1", "--data", str(tmp_path / "none.csv"))
    assert done.exit_code == 1
    assert "No such file" in done.output
