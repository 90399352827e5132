"""Fakes: an engine that counts its calls, an estimator that takes orders, a replica and a door."""

import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from service.manifest import Manifest, read_manifest
from service.rows import Rows, TensorRows
from service.signature import Signature, Tensor
from service.version import LoadedVersion
from service.versions.follower import Follower
from service.versions.load_mark import LoadMark
from service.versions.registry import Registry
from service.versions.report import Reporter
from service.versions.route import ROUTES, read_route
from tests.polling import wait_until

PAIR = Signature(
    "tensor",
    (Tensor("x", "float64", (-1, 2)),),
    (Tensor("predict", "float64"), Tensor("predict_proba", "float64", (-1, 2))),
)
# Orders for `Obedient` and `FakeEngine`, given as the first number of a row. Any other number is fine.
REFUSE, BREAK, STOP = -1.0, -2.0, -3.0
ERRORS = {REFUSE: ValueError("can't take it"), BREAK: RuntimeError("broken"), STOP: StopIteration()}
PATIENCE_SECONDS = 10.0


class FakeEngine:
    """Answers rows of two numbers with their sum times `factor`, and remembers what it was asked."""

    name = "fake"

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self.calls: list[tuple[list[list[float]], tuple[str, ...]]] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def rows_computed(self) -> int:
        """The rows of all calls."""
        return sum(len(rows) for rows, _ in self.calls)

    def run(self, rows: Rows, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Wait until it may go on, then answer; fail where a row says so."""
        values: NDArray[np.float64] = rows.model_input()
        self.calls.append((values.tolist(), tuple(outputs)))
        self.entered.set()
        assert self.may_go_on.wait(PATIENCE_SECONDS)
        for order in set(values[:, 0]) & set(ERRORS):
            raise ERRORS[order]
        return {name: fake_answer(values, name, self._factor) for name in outputs}


def fake_answer(values: NDArray[np.float64], output: str, factor: float = 1.0) -> NDArray[Any]:
    """Return what `FakeEngine` answers."""
    sums = values.sum(axis=1) * factor
    return sums if output == "predict" else np.column_stack([sums, -sums])


def fake_version(
    engine: Any = None, name: str = "m", number: int = 1, digest: str = "", signature: Signature = PAIR
) -> LoadedVersion:
    """Return a loaded version that nobody published."""
    manifest = Manifest(
        name=name,
        version=number,
        created="2024-05-01T12:00:00+00:00",
        digest=digest or f"digest of {name} {number}",
        files={},
        artifact="none",
        engine="fake",
        signature=signature,
    )
    return LoadedVersion(manifest, engine or FakeEngine())


def pairs(*rows: tuple[float, float]) -> TensorRows:
    """Return rows for `PAIR`."""
    return TensorRows(np.array(rows, dtype=np.float64))


class Obedient(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Sums the numbers of a row, after as many seconds as the first row's first number says."""

    def fit(self, rows: NDArray[np.float64]) -> "Obedient":
        """Learn only how wide a row is."""
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sums, or raise what the rows order."""
        for order in set(rows[:, 0]) & set(ERRORS):
            raise ERRORS[order]
        time.sleep(max(rows[0, 0], 0.0))
        return rows.sum(axis=1)


class Importing(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Answers 1 where the process that it runs in has imported a module, else 0."""

    def __init__(self, module: str = "") -> None:
        self.module = module

    def fit(self, rows: NDArray[np.float64]) -> "Importing":
        """Learn only how wide a row is."""
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return as many answers as there are rows."""
        return np.full(len(rows), float(self.module in sys.modules))


class FakeBreaker:
    """A breaker that is where it was put."""

    closed = True


class FakeCache:
    """A cache in memory. Takes the place of `RowCache` where Redis isn't what is tested."""

    def __init__(self) -> None:
        self.breaker = FakeBreaker()
        self.stored: dict[bytes, bytes] = {}
        self.answers = True
        self.lookup_seconds = 100e-6

    async def look_up(self, keys: list[bytes]) -> list[bytes | None] | None:
        """Return what is stored; None alone when it was told not to answer."""
        return [self.stored.get(key) for key in keys] if self.answers else None

    def store(self, key: bytes, value: bytes) -> None:
        """Keep a value."""
        self.stored[key] = value


class FakeReplica:
    """A replica that nobody can ask: a real follower and a real reporter, in threads."""

    def __init__(
        self,
        registry: Path,
        reports: Path,
        name: str = "r1",
        most_loaded: int = 8,
        on_load: Callable[[LoadedVersion], None] = lambda version: None,
    ) -> None:
        self.registry = Registry()
        self.on_load = on_load
        self._report = reports / f"{name}.json"
        self._follower = Follower(
            registry, self.registry, most_loaded, LoadMark(), lambda version: self.on_load(version)
        )
        self._reporter = Reporter(reports, name, self.registry)
        self._thread = threading.Thread(target=self._follower.follow_forever)

    def __enter__(self) -> Self:
        """Begin, and return when it holds what is routed and says so."""
        self._thread.start()
        wait_until(lambda: self.registry.read and not self._missing)
        self._reporter.start()
        wait_until(self._report.exists)
        return self

    def __exit__(self, *error: object) -> None:
        """End, and take the report along."""
        self._follower.stop()
        self.end()
        self._thread.join()

    @property
    def _missing(self) -> set[tuple[str, str]]:
        return {*self.registry.wanted} - {*self.registry.held(), *self.registry.refused}

    def end(self) -> None:
        """Take the report away, whatever is being loaded: as far as anybody can see it has ended."""
        self._reporter.stop()


class Listening:
    """A small HTTP server at `url`, open in its context; then nothing answers there any more."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        """Open."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class FakeDoor(Listening):
    """Answers as nginx and the replicas behind it do, from the routes of a registry; without shares.

    `status` and `version` are what it says instead of 200 and of the version that the route names;
    `asked` are the headers and bodies of all predictions.
    """

    def __init__(self, registry: Path) -> None:
        self.status = 200
        self.version = ""
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.before_answer: Callable[[], None] = lambda: None
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(door.status, "", {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                door.asked.append((dict(self.headers), body))
                door.before_answer()
                model = self.path.removeprefix("/v1/models/").removesuffix(":predict")
                try:
                    route = read_route(registry / ROUTES / model)
                except OSError:
                    self._reply(404, "", {"error": f"no model {model!r}"})
                    return
                key = self.headers.get("X-Client-ID", "")
                version = door.version or route.pins.get(key, route.primary)
                width = read_manifest(registry / model / version).signature.width
                row = json.loads(body)["instances"][0]
                if len(row) == width:
                    self._reply(door.status, version, {"predictions": [1.0]})
                else:
                    self._reply(400, version, {"error": f"expected a list of {width} numbers"})

            def _reply(self, status: int, version: str, content: object) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if version:
                    self.send_header("X-Model-Version", version)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        super().__init__(Handler)


class Picky(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Takes a column of pandas categories, which is nothing that a replica could be sent."""

    def predict(self, rows: Any) -> NDArray[Any]:
        """Return the codes of the categories."""
        return rows["city"].cat.codes.to_numpy()
