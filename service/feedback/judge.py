"""Judges predictions by the labels that clients give: a request's body comes in, counts go out.

Called by `service.web.feedback`, in a thread of Flask's. A request is kept as a whole or, where
something in it can't be understood, not at all; a request id that isn't known keeps nothing else back.
"""

from pathlib import Path
from typing import NamedTuple

from service.counting.predicted import OUTPUT
from service.errors import NotFound
from service.feedback.answers import Answered, Answers
from service.feedback.collector import FeedbackCollector
from service.feedback.compare import by_request, by_rows
from service.feedback.database import Database
from service.feedback.entries import read_entries
from service.feedback.memory import MOST_ROWS, Memory
from service.feedback.task import Task, task_of
from service.feedback.truths import Truth, Truths
from service.manifest import BrokenVersion, read_manifest
from service.observer import Observer
from service.settings import Settings
from service.version import LoadedVersion
from service.versions.registry import Registry

_UNKNOWN = (
    "request_id: no answer to {!r} is remembered: nginx answered it from its edge cache, it was too "
    f"long ago, it had more than {MOST_ROWS} rows or no {OUTPUT}, it was one too many in its second, "
    'or it never came here; its rows as "instances" always work'
)


class Judged(NamedTuple):
    """How many labels became what, and the request ids that aren't known."""

    accepted: int
    duplicate: int
    corrected: int
    unknown_label: int
    unknown_request: int
    unknown_request_ids: list[str]


class Feedback:
    """The feedback of one replica; without FEEDBACK_DIR there is none."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._registry_dir = settings.registry_dir
        self._most_labels = settings.max_rows
        self._memory: Memory | None = None
        self._database: Database | None = None
        if settings.feedback_dir:
            self._database = Database(Path(settings.feedback_dir))
            keep_seconds = settings.feedback_keep_hours * 3600
            answers = Answers(self._database, keep_seconds, settings.feedback_max_rows)
            self._memory = Memory(answers, settings.feedback_requests_per_second)
            self._truths = Truths(self._database)
        self.collector = FeedbackCollector(registry, self._database)

    def start(self) -> None:
        """Begin to remember."""
        if self._memory is not None:
            self._memory.start()

    def stop(self) -> None:
        """Write what is left, and let go of the file."""
        if self._memory is not None and self._database is not None:
            self._memory.stop()
            self._database.close()

    def observer_of(self, version: LoadedVersion) -> Observer | None:
        """Return what remembers a version's answers, if they can be right or wrong."""
        task = task_of(version.signature)
        if self._memory is None or task is None:
            return None
        self.collector.of(version.name, version.number, task)
        return self._memory.observer(version)

    def take(self, model: str, number: str, body: bytes) -> Judged:
        """Compare predictions with the labels in `body`; `number` is the version named, or empty.

        Raises `BadInput`, `NotFound` (also for a request id that comes alone), `NotReady` and
        `FeedbackUnavailable`.
        """
        if self._memory is None:
            raise NotFound("feedback is off: this replica's FEEDBACK_DIR isn't set")
        if model not in self._registry.routes:
            known = ", ".join(self._registry.routes) or "none"
            raise NotFound(f"no model {model!r}; there are: {known}")
        entries = read_entries(body, self._most_labels)
        by_id = [each for each in entries if each.request_id]
        found, tasks = self._find(model, number, {each.request_id for each in by_id})
        truths, unknown = [], []
        for each in by_id:
            answered = found.get(each.request_id)
            task = tasks.get(answered.version) if answered else None
            if answered and task:
                truths += by_request(each, answered, task)
            else:
                unknown.append(each.request_id)
        if len(by_id) < len(entries):
            version = self._version(model, number)
            tasks[version.number] = task_of(version.signature)
            truths += by_rows([each for each in entries if not each.request_id], version)
        self._count_unknown(model, number, len(unknown))
        if unknown and len(entries) == 1:
            raise NotFound(_UNKNOWN.format(unknown[0]))
        return self._keep(model, truths, tasks, unknown)

    def _version(self, model: str, number: str) -> LoadedVersion:
        """Return the version that rows are for: the one named, or else the current one."""
        if number:
            return self._registry.get(model, number, routed=False)
        return self._registry.current(model)

    def _find(
        self, model: str, number: str, request_ids: set[str]
    ) -> tuple[dict[str, Answered], dict[str, Task | None]]:
        """Return the known requests, of one version if it is named, and what the versions predict."""
        assert self._memory is not None
        found = self._memory.find(model, request_ids) if request_ids else {}
        of_it = {key: each for key, each in found.items() if number in ("", each.version)}
        return of_it, {
            number: self._task(model, number) for number in {e.version for e in of_it.values()}
        }

    def _task(self, model: str, number: str) -> Task | None:
        """Return what a version predicts that may be out of memory by now: labels come late."""
        loaded = self._registry.find(model, number)
        if loaded is not None:
            return task_of(loaded.signature)
        try:
            return task_of(read_manifest(self._registry_dir / model / number).signature)
        except BrokenVersion:
            return None

    def _count_unknown(self, model: str, number: str, times: int) -> None:
        """Count request ids that aren't known, under a version only where there is such a one."""
        if times:
            loaded = self._registry.find(model, number)
            task = task_of(loaded.signature) if loaded else None
            self.collector.of(model, number if loaded else "", task).count("unknown_request", times)

    def _keep(
        self, model: str, truths: list[Truth], tasks: dict[str, Task | None], unknown: list[str]
    ) -> Judged:
        """Keep labels and count them; the metrics can't take back what a correction makes wrong."""
        results = self._truths.keep(model, truths) if truths else []
        strange = 0
        for truth, result in zip(truths, results, strict=True):
            task = tasks[truth.version]
            counts = self.collector.of(model, truth.version, task)
            counts.count(result)
            if result == "accepted":
                counts.score(truth.prediction, truth.label)
            if task and result != "duplicate" and not task.knows(truth.label):
                counts.count("unknown_label")
                strange += 1
        return Judged(
            results.count("accepted"),
            results.count("duplicate"),
            results.count("corrected"),
            strange,
            len(unknown),
            unknown,
        )
