"""What waits for an engine: queries come in, batches of those that can share one call go out."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

from service.inference import Columns, Inference
from service.rows import Rows
from service.version import LoadedVersion

CacheState = Literal["redis", "partial", "miss", "bypass"]
Source = Literal["hit", "joined", "miss", "bypass", "error"]


class Query:
    """Rows for one version, checked against its signature; `deadline` is of the loop's clock.

    `cache` says where the answer came from, and `sources` for each row what the cache did for it, None
    where it wasn't asked. `weight` is how many typical rows these are, and `inline`
    whether a call with them is cheap enough for the event loop. `answer` and `arrived` are set when
    it is queued, `inference` is the call that it took part in, and `looked_up` when Redis had answered.
    Times are of the clock `time.perf_counter`, 0 for what didn't happen.
    """

    __slots__ = (
        "answer",
        "arrived",
        "cache",
        "count",
        "deadline",
        "inference",
        "inline",
        "looked_up",
        "outputs",
        "rows",
        "sources",
        "version",
        "weight",
    )

    def __init__(
        self, version: LoadedVersion, rows: Rows, outputs: tuple[str, ...], deadline: float
    ) -> None:
        self.version = version
        self.rows = rows
        self.outputs = outputs
        self.deadline = deadline
        self.cache: CacheState = "bypass"
        self.sources: list[Source] | None = None
        self.count = len(rows)
        self.weight = version.cost.rows(rows, self.count)
        self.inline = self.weight <= version.cost.inline_rows
        self.arrived = self.looked_up = 0.0
        self.inference: Inference | None = None
        self.answer: asyncio.Future[Columns] | None = None


class Queue:
    """Groups of queries for the same version and outputs; groups take turns, the oldest first."""

    def __init__(self, most_rows: Callable[[LoadedVersion], float]) -> None:
        self._groups: dict[tuple[LoadedVersion, tuple[str, ...]], deque[Query]] = {}
        self._most_rows = most_rows

    def __bool__(self) -> bool:
        return bool(self._groups)

    def put(self, query: Query) -> None:
        """Add a query to its group."""
        key = (query.version, query.outputs)
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = deque((query,))
        else:
            group.append(query)

    def take(self) -> list[Query]:
        """Take the next batch: at least one query, and no more rows than a call may have."""
        key = next(iter(self._groups))
        group = self._groups.pop(key)
        most = self._most_rows(key[0])
        taken = [group.popleft()]
        weight = taken[0].weight
        while group and (weight := weight + group[0].weight) <= most:
            taken.append(group.popleft())
        if group:
            self._groups[key] = group
        return taken
