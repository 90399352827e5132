"""What a request and a replica take: runs of a study come in, CPU and memory go out, for `plan`."""

from collections.abc import Callable, Iterator
from statistics import median

from msgspec import Struct

from loadtest.law.bottleneck import replica_parts
from loadtest.study.figures import runs_for
from loadtest.study.study import Part, Run, Study

# What docker-compose.yml gives nginx, where the study didn't see its quota.
ONE_NGINX_CPUS = 1.0


class Usage(Struct, frozen=True, kw_only=True):
    """CPUs and bytes of a replica; of nginx and Redis CPU seconds a request, and bytes together.

    `nginx_quota`: CPUs that it may use. `cores`: of the host. None: wasn't measured, or there is none.
    """

    replica_cpus: float | None
    replica_bytes: int | None
    nginx_seconds: float | None
    redis_seconds: float | None
    beside_bytes: int
    nginx_quota: float | None
    cores: int | None


def read_usage(study: Study, measured: tuple[int, ...]) -> Usage:
    """Return what was used at peak and at the objective's rate, in steps of so many replicas.

    CPU is the median of the runs; where replicas have a quota, that is what they need, since it is
    what was measured. Memory is the most that was seen.
    """
    steps = [step for step in study.steps if step.replicas in measured]
    peaks = [run for step in steps for run in runs_for(step, "peak")]
    runs = peaks + [run for step in steps for run in runs_for(step, "objective")]
    replicas = [(run, part) for run in peaks for part in replica_parts(run)]
    nginx, redis = list(_parts(runs, "nginx")), list(_parts(runs, "redis"))
    return Usage(
        replica_cpus=study.settings.cpus
        or _median(replicas, lambda run, part: part.cpu_seconds / run.seconds),
        replica_bytes=max((part.memory_bytes for _, part in replicas), default=None),
        nginx_seconds=_median(nginx, _a_request),
        redis_seconds=_median(redis, _a_request),
        beside_bytes=sum(
            max((part.memory_bytes for _, part in parts), default=0) for parts in (nginx, redis)
        ),
        nginx_quota=next((part.quota_cpus for _, part in nginx if part.quota_cpus), None),
        cores=next((run.server.host.cores for run in runs if run.server.host), None),
    )


def _a_request(run: Run, part: Part) -> float:
    return part.cpu_seconds / run.ok


def _parts(runs: list[Run], name: str) -> Iterator[tuple[Run, Part]]:
    for run in runs:
        if run.ok and (part := (run.server.parts or {}).get(name)):
            yield run, part


def _median(used: list[tuple[Run, Part]], look: Callable[[Run, Part], float]) -> float | None:
    return median(look(run, part) for run, part in used) if used else None
