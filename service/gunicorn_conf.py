"""How gunicorn runs a replica: one master, one asgi worker. Scale by replicas, not by workers.

One process on a hello-world, requests a second on one core: gthread 3.6k, gevent 8.3k, asgi 23.6k,
33k with the C parser and uvloop. One worker also keeps the metrics simple: no multiprocess mode.
Each setting: why it isn't the default. https://docs.gunicorn.org/en/stable/settings.html
"""

import os
from typing import Any

from service.settings import Settings

# One replica, one CPU: threads of BLAS and OpenMP beside the engine's own would fight over it.
# Set before numpy is imported, which reads them then.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

_settings = Settings.read(os.environ)

bind = _settings.bind.split(",")
worker_class = "service.worker.ReplicaWorker"  # the asgi worker with a lane for predictions
workers = 1
http_parser = "auto"  # the C parser where it is installed
asgi_loop = "auto"  # uvloop where it is installed
# Without its start-up event a replica would listen and know nothing: end instead. Default: auto.
asgi_lifespan = "on"

# The master imports the application before it listens and forks: until then connections are refused
# and nginx asks another replica, instead of waiting in the backlog. Models, threads and connections
# are made in the worker, in its start-up event. Default: False.
preload_app = True

# nginx keeps idle connections for 30 s; the side that sends must be the one that closes, or a
# request meets a closing connection. Default: 2.
keepalive = 75

# After this the master kills a worker that is still there. It must not while the worker waits for
# connections (service.worker has for how long) or says its last words. Default: 30.
graceful_timeout = 10

# A worker that doesn't beat is killed; the loop beats even while a model works. Default: 30.
timeout = 30

control_socket_disable = True  # all replicas of a machine would share one path
worker_tmp_dir = "/dev/shm"  # noqa: S108  # the heartbeat must not wait for a disk


def worker_exit(server: Any, worker: Any) -> None:
    """Write what the worker has counted, when its loop has ended and nothing more can be."""
    door = getattr(worker, "asgi", None)
    if door is not None:  # in the master too, for a worker that is gone
        door.say_last_words()


loglevel = _settings.log_level
logger_class = "service.logs.ReplicaLogger"
