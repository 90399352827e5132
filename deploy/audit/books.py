"""What each has counted: metrics as they are shown come in, plain sums of requests and rows go out."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

from msgspec import Struct, field
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from service.counting.last_words import STARTED, Count, Life, counted

State = Literal["live", "ended", "silent"]


class Version(NamedTuple):
    """A version of a model; both are empty for requests that named no known one."""

    model: str
    version: str


class Answer(NamedTuple):
    """How a version answered: by status code."""

    version: Version
    code: str


class Door(Struct, frozen=True):
    """What nginx has counted since `began`, a Unix time: requests by source, attempts by result."""

    began: float
    requests: Counter[str]
    attempts: Counter[str]
    by_replicas: Counter[Answer]
    unreadable: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what the door's counter shows; raise ValueError where it isn't one."""
        began, unreadable = 0.0, 0
        requests, attempts, by_replicas = Counter[str](), Counter[str](), Counter[Answer]()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels, value = sample.labels, int(sample.value)
                if family.name == "flotilla_door_requests":
                    requests[labels["source"]] += value
                    if labels["source"] == "replica":
                        by_replicas[Answer(_version(labels), labels["code"])] += value
                elif family.name == "flotilla_door_attempts":
                    attempts[labels["result"]] += value
                elif family.name == "flotilla_door_unreadable_lines":
                    unreadable = value
                elif family.name == "flotilla_door_began_timestamp_seconds":
                    began = sample.value
        if not began:
            raise ValueError("no flotilla_door_began_timestamp_seconds")
        return cls(began, requests, attempts, by_replicas, unreadable)

    @property
    def retried(self) -> int:
        """How many answers of replicas nginx kept to itself: 503, and then it asked another one."""
        return self.attempts["answered"] - self.requests["replica"]

    @property
    def unknown(self) -> int:
        """How many attempts a replica may have answered or not: nginx didn't wait for the reply."""
        return self.attempts["silent"] + self.attempts["abandoned"]


class Book(Struct, frozen=True):
    """What one process of a replica has counted. Empty for one that ended without a word."""

    replica: str
    state: State
    started: float
    ended: float = 0.0
    requests: Counter[Answer] = field(default_factory=Counter)
    rows: Counter[Version] = field(default_factory=Counter)
    cache_rows: Counter[Version] = field(default_factory=Counter)

    @classmethod
    def of_live(cls, replica: str, text: str) -> Self:
        """Read what a live replica shows at /metrics."""
        families = list(text_string_to_metric_families(text))
        return cls._of(replica, "live", _started(families), 0.0, counted(families))

    @classmethod
    def of_life(cls, life: Life) -> Self:
        """Read what a replica has left behind."""
        state: State = "ended" if life.ended else "silent"
        return cls._of(life.replica, state, life.started, life.ended, life.counts)

    @classmethod
    def _of(
        cls, replica: str, state: State, started: float, ended: float, counts: Iterable[Count]
    ) -> Self:
        book = cls(replica, state, started, ended)
        for name, labels, value in ((each.name, each.labels, int(each.value)) for each in counts):
            version = _version(labels)
            if name == "flotilla_requests":
                book.requests[Answer(version, labels["code"])] += value
            elif name == "flotilla_rows":
                book.rows[version] += value
            else:
                book.cache_rows[version] += value
        return book


def _version(labels: dict[str, str]) -> Version:
    return Version(labels["model"], labels["version"])


def _started(families: Iterable[Metric]) -> float:
    for family in families:
        if family.name == STARTED:
            return family.samples[0].value
    return 0.0
