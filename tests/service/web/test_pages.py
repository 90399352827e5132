"""Tests of service/web/pages.py: the home page, its playground's data, and `/docs`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import skops.io
from flask.testing import FlaskClient
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from deploy.publish import publish
from deploy.routing.routes import activate
from deploy.samples import SAMPLES
from deploy.samples.trained import TrainedModel
from service import example
from service.errors import FlotillaError
from service.health import PATHS as HEALTH
from service.manifest import Manifest
from service.protocols import V1, V2
from service.replica import Replica
from service.rows import TensorRows
from service.settings import Settings
from service.version import SAMPLE, read_sample
from service.web import create_app, pages
from tests.service.followed import route_to

SCRIPT = "<script>alert('gotcha')</script>"
VOID = {"img", "input", "link", "meta"}


class Page(HTMLParser):
    """The elements of a page, each with its attributes and the text in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        text: list[str] = []
        self.found.append((tag, dict(attrs), text))
        if tag not in VOID:
            self._open.append(text)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add text to all open elements."""
        for text in self._open:
            text.append(data)

    def elements(self, tag: str, **wanted: str) -> list[tuple[dict[str, Any], str]]:
        """Return attributes and text of the elements called `tag` that have the attributes `wanted`."""
        return [
            (attributes, " ".join("".join(text).split()) if tag != "pre" else "".join(text))
            for name, attributes, text in self.found
            if name == tag and wanted.items() <= attributes.items()
        ]

    def text(self) -> str:
        """Return what a reader sees."""
        return self.elements("main")[0][1]

    def playgrounds(self) -> dict[str, Any]:
        """Return what the script is told of each model."""
        options = [each for each, _ in self.elements("option")]
        return {each["value"]: json.loads(each["data-playground"]) for each in options}


@dataclass
class Site:
    """A registry folder, and the pages of a replica that serves it."""

    registry: Path
    replica: Replica
    client: FlaskClient
    _file: Iterator[int] = field(default_factory=count)

    def publish(
        self, name: str, estimator: Any, sample: Any, *, routed: bool = True, **told: Any
    ) -> Manifest:
        """Publish a model and, if `routed`, let it serve."""
        file = self.registry.parent / f"{next(self._file)}.skops"
        skops.io.dump(estimator, file)
        manifest = publish(self.registry, file, name, sample, **told)
        if routed:
            activate(self.registry, name, manifest.version, "test")
        self.replica._follower.follow()
        return manifest

    def publish_sample(self, trained: TrainedModel, *, routed: bool = True) -> Manifest:
        """Publish a sample model."""
        return self.publish(
            trained.name,
            trained.estimator,
            trained.sample,
            routed=routed,
            description=trained.description,
            metrics=trained.metrics,
        )

    def open(self, path: str) -> Page:
        """Return a page that must exist."""
        with self.client.get(path) as response:
            assert response.status_code == 200, response.text
            assert response.mimetype == "text/html"
            return Page(response.text)


@pytest.fixture(scope="module")
def digits() -> TrainedModel:
    """Train the sample whose rows are lists of numbers."""
    return SAMPLES["digits"]()


@pytest.fixture(scope="module")
def spam() -> TrainedModel:
    """Train the sample whose rows are texts."""
    return SAMPLES["spam"]()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Serve an empty registry."""
    registry = tmp_path / "registry"
    registry.mkdir()
    replica = Replica(Settings(registry_dir=registry, replica_name="r-7"))
    replica._follower.follow()
    yield Site(registry, replica, create_app(replica).test_client())
    replica._batcher.close()


def tiny(rows: Any, classes: Any = ("a", "b")) -> DummyClassifier:
    """Return a model that takes rows like `rows`."""
    return DummyClassifier().fit(rows, np.resize(classes, len(rows)))


def table_model(table: pd.DataFrame) -> Any:
    """Return a model that takes rows of `table`, whose columns hold strings."""
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), list(table.columns)))
    return make_pipeline(encode, LogisticRegression()).fit(table, np.resize([0, 1], len(table)))


def test_home_shows_a_routed_model(site: Site, digits: TrainedModel) -> None:
    """The home page names model, version, description, score, row, outputs, classes and replica."""
    site.publish_sample(digits)
    text = site.open("/").text()
    for part in (
        "You are talking to replica r-7",
        "version 1",
        digits.description,
        f"{digits.metrics['accuracy']:.4g} accuracy",
        "a list of 64 numbers",
        "predict predict_proba decision_function",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ):
        assert part in text


def test_home_shows_the_share_of_a_version(site: Site) -> None:
    """Where several versions answer, the page shows the one with the largest share, and the share."""
    rows = np.arange(8.0).reshape(4, 2)
    for _ in range(2):
        site.publish("shared", tiny(rows), rows)
    assert "version 2 " in site.open("/").text()
    route_to(site.registry, "shared", {"1": 12.5, "2": 87.5})
    site.replica._follower.follow()
    assert "version 2, 87.5 %" in site.open("/").text()


def test_home_without_a_model(site: Site, digits: TrainedModel) -> None:
    """An empty registry says how to publish, and there is no playground; a full one has it."""
    empty = site.open("/")
    assert "flotilla publish" in empty.text()
    assert not empty.elements("form")
    assert not empty.elements("script")
    site.publish_sample(digits)
    full = site.open("/")
    assert "flotilla publish" not in full.text()
    assert full.elements("form", id="play")
    assert full.elements("script", src="/static/playground.js")


def test_an_unrouted_model_is_not_shown(site: Site, digits: TrainedModel) -> None:
    """A published model without a route is on no page, until it has one."""
    site.publish_sample(digits, routed=False)
    for path in ("/", "/docs"):
        assert "digits" not in site.open(path).text()
    activate(site.registry, "digits", 1, "test")
    site.replica._follower.follow()
    for path in ("/", "/docs"):
        assert "digits" in site.open(path).text()


def test_a_refused_version_is_named_without_its_reason(site: Site, digits: TrainedModel) -> None:
    """A routed version that can't be loaded is shown as missing, but no path of the machine is."""
    site.publish_sample(digits, routed=False)
    activate(site.registry, "digits", 1, "test")
    (site.registry / "digits" / "1" / "model.skops").write_bytes(b"changed")
    site.replica._follower.follow()
    home = site.open("/")
    assert "digits version 1 This replica doesn't hold it, or can't read its sample." in home.text()
    assert str(site.registry) not in home.text()
    assert not home.playgrounds()
    assert "digits" not in site.open("/docs").text()


def test_a_version_whose_folder_is_gone(site: Site) -> None:
    """A page opens though a version that is in memory has no files any more; the others are shown."""
    for name in ("gone", "here"):
        site.publish(name, tiny(np.eye(2)), np.eye(2))
    shutil.rmtree(site.registry / "gone")
    site.replica._follower.follow()
    home = site.open("/")
    assert "gone version 1 This replica doesn't hold it, or can't read its sample." in home.text()
    assert list(home.playgrounds()) == ["here"]
    assert str(site.registry) not in home.text()
    assert "gone" not in site.open("/docs").text()


# numpy leaves a broken archive for the garbage collector to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_version_whose_sample_is_damaged(site: Site) -> None:
    """The same where the sample is there, and isn't one."""
    site.publish("broken", tiny(np.eye(2)), np.eye(2))
    for content in (b"", b"PK", b"PK\x03\x04" * 40):
        (site.registry / "broken" / "1" / SAMPLE).write_bytes(content)
        assert not site.open("/").playgrounds()


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_model_cannot_write_markup(site: Site, path: str) -> None:
    """Descriptions, scores, classes, columns and rows are shown as text, whatever they hold."""
    table = pd.DataFrame({SCRIPT: [SCRIPT, "'\" --", "&amp;"] * 3})
    told = {"description": SCRIPT, "metrics": {SCRIPT: 0.5}}
    site.publish("evil", table_model(table), table, **told)
    site.publish("evil-classes", tiny(np.eye(2), [SCRIPT, "b"]), np.eye(2), **told)
    page = site.open(path)
    assert SCRIPT in page.text()
    assert all(text == "" for _, text in page.elements("script"))
    assert len(page.elements("script")) == (1 if path == "/" else 0)


def test_the_playground_is_told_what_was_published(site: Site) -> None:
    """What the script reads from the page equals the model's columns, rows, outputs and classes."""
    table = pd.DataFrame({"it's": [SCRIPT, "'\"", "&amp;"] * 3, "a": ["x", "ü", " "] * 3})
    site.publish("table", table_model(table), table)
    told = site.open("/").playgrounds()["table"]
    assert told == {
        "kind": "table",
        "rows": table.to_dict(orient="records"),
        "inputs": [{"name": "it's", "dtype": "string"}, {"name": "a", "dtype": "string"}],
        "outputs": ["predict", "predict_proba", "decision_function"],
        "classes": [0, 1],
    }
    assert [list(row) for row in told["rows"]] == [["it's", "a"]] * 9


def test_the_playground_has_the_first_rows_of_the_sample(
    site: Site, digits: TrainedModel, spam: TrainedModel
) -> None:
    """Rows come in the sample's order, whole numbers without a fraction, and not all of them."""
    site.publish_sample(digits)
    site.publish_sample(spam)
    told = site.open("/").playgrounds()
    assert told["digits"]["rows"] == np.asarray(digits.sample)[: pages.SAMPLE_ROWS].tolist()
    assert all(type(value) is int for value in told["digits"]["rows"][0])
    assert told["spam"]["rows"] == list(spam.sample[: pages.SAMPLE_ROWS])


def test_long_rows_are_fewer(site: Site) -> None:
    """A page stays small however long a model's rows are, and has at least one of them."""
    model = make_pipeline(HashingVectorizer(n_features=8), LogisticRegression())
    for name, length in (("long", 10_000), ("longest", 100_000)):
        texts = [letter * length for letter in "abcdefgh"]
        site.publish(name, model.fit(texts, [0, 1] * 4), texts)
    told = site.open("/").playgrounds()
    assert len(told["long"]["rows"]) == pages.SAMPLE_CHARACTERS // 10_002
    assert len(told["longest"]["rows"]) == 1


def test_the_sample_is_read_once(
    site: Site, digits: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version's sample is read for the first page that needs it; a new version's again."""
    read = []

    def reads(path: Path, *rest: Any) -> Any:
        read.append(path.parent.name)
        return read_sample(path, *rest)

    monkeypatch.setattr(example, "read_sample", reads)
    site.publish_sample(digits)
    for path in ("/", "/", "/docs"):
        site.open(path)
    assert read == ["1"]
    site.publish_sample(digits)
    assert "version 2" in site.open("/").text()
    assert read == ["1", "2"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_is_self_contained(site: Site, digits: TrainedModel, path: str) -> None:
    """The policy allows our own files only; the page needs nothing else, and each file is there."""
    site.publish_sample(digits)
    with site.client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
        page = Page(response.text)
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    for tag, attributes, _ in page.found:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for link in filter(None, (attributes.get("src"), attributes.get("href"))):
            target = urlsplit(link)
            assert not target.netloc
            if target.path in HEALTH:  # the door's own
                continue
            with site.client.get(target.path or path) as response:
                assert response.status_code == 200


def test_scripts_import_what_is_there(site: Site) -> None:
    """Each module that a script imports is served as JavaScript."""
    static = Path(pages.__file__).parent / "static"
    imported = {
        line.rpartition('"./')[2].rstrip('";')
        for script in static.glob("*.js")
        for line in script.read_text().splitlines()
        if line.startswith("import")
    }
    assert imported
    for name in imported:
        with site.client.get(f"/static/{name}") as response:
            assert response.status_code == 200
            assert response.mimetype in ("text/javascript", "application/javascript")


def in_shell(command: str) -> list[str]:
    """Return the arguments that a POSIX shell would call curl with."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def test_docs_curl_fits_the_model(site: Site, digits: TrainedModel, spam: TrainedModel) -> None:
    """Each command calls a route of its model with valid JSON that the protocol reads as row one."""
    site.publish_sample(digits)
    site.publish_sample(spam)
    table = pd.DataFrame({"it's": [SCRIPT, "'\"$HOME", "\\"] * 3, "b": ["ü", "`ls`", "x"] * 3})
    site.publish("table", table_model(table), table)
    commands = site.open("/docs").elements("pre")
    assert len(commands) == 3 * 2
    for attributes, command in commands:
        name = attributes["data-model"]
        version = site.replica.registry.current(name)
        url, *options = in_shell(command)
        if attributes["data-protocol"] == "v1":
            codec: Any = V1(version, 10)
            assert url == f"http://localhost/v1/models/{name}:predict"
        else:
            codec = V2(version, 10)
            assert url == f"http://localhost/v2/models/{name}/infer"
        assert options[:3] == ["-H", "Content-Type: application/json", "-d"]
        sample = read_sample(site.registry / name / "1" / SAMPLE, version.signature, 1)
        assert codec.decode(options[3].encode()).rows.canonical() == sample.canonical()


def test_docs_curl_calls_the_address_in_use(site: Site, digits: TrainedModel) -> None:
    """The commands call the host and port under which somebody opened the page."""
    site.publish_sample(digits)
    with site.client.get("/docs", base_url="http://example.test:8080") as response:
        page = Page(response.text)
    url, *_ = in_shell(page.elements("pre")[0][1])
    assert url == "http://example.test:8080/v1/models/digits:predict"


def test_a_missing_number_is_null(site: Site) -> None:
    """NaN in a sample is written as null, which JSON knows, and the model's own route takes it."""
    rows = np.array([[1.0, np.nan], [0.25, 2.0]])
    site.publish("gaps", tiny(rows), rows)
    assert site.open("/").playgrounds()["gaps"]["rows"] == [[1, None], [0.25, 2]]
    *_, body = in_shell(site.open("/docs").elements("pre")[0][1])
    decoded = V1(site.replica.registry.current("gaps"), 10).decode(body.encode()).rows
    assert isinstance(decoded, TensorRows)
    np.testing.assert_array_equal(decoded.values, rows[:1])


def test_docs_lists_every_error(site: Site) -> None:
    """The table of errors has each status that the service answers with, and no other."""
    cells = [text for _, text in site.open("/docs").elements("td")]
    listed = {int(text) for text in cells if text.isdecimal()}
    assert listed == {500, *(error.status for error in FlotillaError.__subclasses__())}


def test_an_unknown_page_is_a_json_404(site: Site) -> None:
    """What isn't there is answered in JSON that names it, not with a page."""
    with site.client.get("/nothing-here") as response:
        assert response.status_code == 404
        assert response.get_json() == {"error": "GET /nothing-here: Not Found"}
