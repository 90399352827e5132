"""What one replica costs that has one compiled model and nobody else beside it: memory, time to start.

In: a registry with that model alone. Out: a `Replica`. `__main__.py` calls it before the stack is
there, whose replicas would share pages with this one and so make it look smaller.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from loadtest.bench.processes import Process, program, running, wait_for
from loadtest.bench.report import Replica
from loadtest.bench.servers import Server, defaults
from loadtest.usage.proc import family, pss_bytes

POLL_SECONDS = 0.01


def measure_replica(
    folder: Path, registry: Path, port: int, starts: int, use: Callable[[Server], object]
) -> Replica:
    """Start it some times; read its memory after `use` has sent it some requests."""
    redis, log = folder / "alone-redis.sock", folder / "alone.log"
    command = [program("redis-server"), "--port", "0", "--unixsocket", str(redis), "--save", ""]
    pss, seconds = [], []
    with running(command, {}, log):
        environment = {
            **defaults(),
            # As deploy/local/files.py starts one.
            "REGISTRY_DIR": str(registry),
            "REDIS_URL": f"unix://{redis}",
            "REPLICA_NAME": "alone",
            "BIND": f"unix:{folder}/alone.sock,127.0.0.1:{port}",
        }
        for _ in range(starts):
            started = time.perf_counter()
            with running(_GUNICORN, environment, log) as process:
                wait_for(process, port, "/health/ready", log, POLL_SECONDS)
                seconds.append(time.perf_counter() - started)
                use(Server("a replica", f"http://127.0.0.1:{port}"))
                pss.append(pss_mb(process))
    return Replica(pss, seconds)


def pss_mb(process: Process) -> float:
    """Return the memory of a process and all that it started; shared pages count by their share."""
    return sum(map(pss_bytes, family(process.pid))) / 1e6


_GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "service/gunicorn_conf.py"]
_GUNICORN += ["service.asgi:app"]
