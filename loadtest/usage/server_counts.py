"""What the stack has counted of a run: nginx's own count and each replica's, by way of Prometheus.

A window begins and ends with a look of Prometheus' at a stack that is quiet, so its counts are whole
numbers: nothing is guessed between two looks, as `increase` does. `loadtest.sweep` calls it.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from deploy.errors import Refused
from deploy.prometheus import Prometheus, Series

# Prometheus looks every 5 s, and a look may fail once.
PATIENCE_SECONDS = 15.0
POLL_SECONDS = 0.25
# nginx writes its notes every second, the door's counter reads four times a second.
DOOR_LAG_SECONDS = 2.0

DOOR_JOB, REPLICAS_JOB = "door", "service"
DOOR, REPLICAS = "flotilla_door_requests_total", "flotilla_requests_total"

Place = tuple[str, str]  # job, and label `replica`
Values = dict[tuple[tuple[str, str], ...], Series]


class _Target(NamedTuple):
    up: bool
    seen: float  # when Prometheus looked last, in Unix seconds


class _Look(NamedTuple):
    replicas: Values
    door: Values | None  # None: it isn't there, or doesn't answer Prometheus


class ServerCounts:
    """Counts of one model's requests; `names` are the replicas' by Prometheus' label `replica`.

    `unknown` says why there are none, where there are none.
    """

    def __init__(self, prometheus_url: str, names: Mapping[str, str], model: str) -> None:
        self._prometheus = Prometheus(prometheus_url)
        self._names = dict(names)
        self._model = model
        self._before: _Look | None = None
        self.unknown = ""

    def begin(self) -> None:
        """Wait until every replica and the door have been looked at since now, and note their counts.

        The stack has to be quiet until then. Takes a scrape interval, bounded by `PATIENCE_SECONDS`.
        """
        self._before = self._look()

    def end(self) -> tuple[dict[str, int] | None, int | None]:
        """Return requests since `begin` by replica, also those with none, and at nginx; wait as there.

        The next window begins there. None for what can't be known. A replica that Prometheus knows and
        `names` doesn't is there by its label, if it was asked.
        """
        before, after = self._before, self._look()
        self._before = after
        if before is None or after is None:
            return None, None
        by_replica = Counter(dict.fromkeys(self._names.values(), 0))
        for series, count in _grown(before.replicas, after.replicas):
            label = series.labels["replica"]
            if count or label in self._names:
                by_replica[self._names.get(label, label)] += count
        if before.door is None or after.door is None:
            return dict(by_replica), None
        return dict(by_replica), sum(count for _, count in _grown(before.door, after.door))

    def _look(self) -> _Look | None:
        """Return all counts once Prometheus has seen them, None where that doesn't come."""
        try:
            began, deadline = self._prometheus.now(), time.monotonic() + PATIENCE_SECONDS
            while late := self._late(targets := self._targets(), began):
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_SECONDS)
            if replicas := late - {DOOR_JOB}:
                raise Refused(f"Prometheus hasn't seen {', '.join(sorted(replicas))} since the run")
            door_known = not late and targets[DOOR_JOB, ""].up
            door = self._values(DOOR, DOOR_JOB) if door_known else None
            return _Look(self._values(REPLICAS, REPLICAS_JOB), door)
        except Refused as refused:
            self.unknown = str(refused)
            return None

    def _targets(self) -> dict[Place, _Target]:
        """Return Prometheus' last look at each replica and at the door."""
        up = f'up{{job=~"{REPLICAS_JOB}|{DOOR_JOB}"}}'
        seen = {_place(each): each.value for each in self._prometheus.vector(f"timestamp({up})")}
        return {
            _place(each): _Target(bool(each.value), seen.get(_place(each), 0.0))
            for each in self._prometheus.vector(up)
        }

    def _late(self, targets: Mapping[Place, _Target], since: float) -> set[str]:
        """Return whom Prometheus hasn't seen since a moment of its own: replicas' names, the door."""
        late = set()
        for label, name in self._names.items():
            replica = targets.get((REPLICAS_JOB, label))
            if replica is None or not replica.up or replica.seen <= since:
                late.add(name)
        # A door that is down isn't waited for: replicas' counts are known all the same.
        door = targets.get((DOOR_JOB, ""))
        if door is None or (door.up and door.seen <= since + DOOR_LAG_SECONDS):
            late.add(DOOR_JOB)
        return late

    def _values(self, name: str, job: str) -> Values:
        found = self._prometheus.vector(f'{name}{{job="{job}",model={json.dumps(self._model)}}}')
        return {tuple(sorted(each.labels.items())): each for each in found}


def _place(series: Series) -> Place:
    return series.labels["job"], series.labels.get("replica", "")


def _grown(before: Values, after: Values) -> list[tuple[Series, int]]:
    """Return by how much each series is more than it was; a new one, and one that fell, began at 0."""
    grown = []
    for key, series in after.items():
        was = before[key].value if key in before else 0.0
        grown.append((series, round(series.value - was if series.value >= was else series.value)))
    return grown
