"""What can be asked of each model, and what must come back: a registry comes in, banks go out.

Without a registry the sample models' made-up rows are sent, and replies are compared with each other.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deploy.errors import Refused
from deploy.routing.generations import current_route
from loadtest.payloads import Payloads, make_payloads
from loadtest.scenarios.answers import Answers, Published, Same
from loadtest.scenarios.origin import serves
from service.manifest import BrokenVersion, read_manifest
from service.versions.route import NAME, ROUTES

FIRST = "digits"  # who asks for nothing in particular gets this one, or else the first by name


class Bank(NamedTuple):
    """Requests of one model: bodies, each with a mark where `unique`, and the answers to them."""

    model: str
    path: str
    unique: bool
    bodies: Sequence[bytes]
    answers: Answers


class Book:
    """Banks by model and number of rows, made when they are first asked for."""

    def __init__(self, registry: Path) -> None:
        """Take the registry's folder, which need not be there."""
        self.registry = registry
        # Replies are checked against scikit-learn, unless there is a reason why not.
        self.why_unchecked = "" if registry.is_dir() else f"{registry} isn't there (--registry)"
        self._banks: dict[tuple[str, int], Bank] = {}

    def models(self, asked: str, *, every: bool = False) -> list[str]:
        """Return the models of a list with commas; for an empty one all that have a route, or `FIRST`.

        Raises `Refused` where one can't be asked, or there are none.
        """
        if not self.checked:
            from loadtest.scenarios.generated import ROWS_OF  # slow, and rarely needed

            there = list(ROWS_OF)
        else:
            shelves = sorted((self.registry / ROUTES).glob("*/"))
            there = [each.name for each in shelves if current_route(each) and NAME.fullmatch(each.name)]
        either = there if every else [FIRST] if FIRST in there else there[:1]
        wanted = [each.strip() for each in asked.split(",") if each.strip()] or either
        for model in wanted:
            if model not in there:
                where = self.registry if self.checked else "the samples"
                raise Refused(f"no model {model} in {where}; there are {', '.join(there) or 'none'}")
        if not wanted:
            raise Refused(f"no model in {self.registry} has a route; flotilla activate gives it one")
        return wanted

    @property
    def checked(self) -> bool:
        """Whether there are right answers."""
        return not self.why_unchecked

    def compare(self, url: str, models: Sequence[str]) -> None:
        """Leave the registry alone where a stack doesn't serve these versions; raise `Refused`."""
        for model in models if self.checked else ():
            version = _primary(self.registry, model)
            try:
                digest = read_manifest(version).digest
            except BrokenVersion as error:
                raise Refused(f"{version}: {error}") from error
            if not serves(url, model, int(version.name), digest):
                self.why_unchecked = f"{model} of {url} isn't the one in {self.registry} (--registry)"

    def bank(
        self, model: str, rows: int, run: Callable[..., Any] = lambda do, *given: do(*given)
    ) -> Bank:
        """Return the requests of so many rows; `run` calls the slow part, in a thread for example.

        Raises `Refused` where the version that answers can't be read.
        """
        key = model, rows
        if key not in self._banks:
            self._banks[key] = run(self._made if self.checked else _generated, model, rows)
        return self._banks[key]

    def _made(self, model: str, rows: int) -> Bank:
        version = _primary(self.registry, model)
        payloads = _payloads(version, rows)
        answers = Published(version.parent, payloads.version, payloads.templates)
        bodies = [each.body for each in payloads.templates]
        return Bank(model, payloads.path, payloads.unique, bodies, answers)


def _primary(registry: Path, model: str) -> Path:
    """Return the folder of the version that answers most; others are learned when they are seen."""
    route = current_route(registry / ROUTES / model)
    if route is None:
        raise Refused(f"{model} has no route; flotilla activate gives it one")
    return registry / model / route[1].primary


def _payloads(version: Path, rows: int) -> Payloads:
    """Return requests with marks, and without where the model has no room for such."""
    try:
        return make_payloads(version, rows=rows)
    except Refused:
        return make_payloads(version, rows=rows, unique=False)


def _generated(model: str, rows: int) -> Bank:
    from loadtest.scenarios.generated import bodies  # slow, and rarely needed

    return Bank(model, f"/v1/models/{model}:predict", True, bodies(model, rows), Same())
