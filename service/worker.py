"""gunicorn's asgi worker, whose connections have a lane of their own for predictions.

gunicorn serves an ASGI request in two tasks of its own, with a receive and a send for each message:
some 50 µs, twice what a prediction takes. Here the connection hands a whole request to the core when
its bytes have arrived, and writes the reply when it is there. Processes, sockets, signals and every
other request stay gunicorn's. Named in `service.gunicorn_conf`.
"""

import sys
from typing import Any

from gunicorn.workers import gasgi

from service.lane import LaneProtocol

# How long the loop may have to wait for a thread that runs Python: one of Flask's, or scikit-learn's.
# Default: 5 ms, which is some thirty predictions.
SWITCH_SECONDS = 0.0005
# How long a worker that is to end waits for its connections: predictions take milliseconds, what is
# left then is idle, and nginx may hold it open for half a minute.
IDLE_SECONDS = 5


class ReplicaWorker(gasgi.ASGIWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """The worker of a replica."""

    def init_process(self) -> None:
        """Start; from here on the worker's servers make connections with a lane."""
        # gunicorn has no hook for it. It pins nobody else down: this process has one worker.
        connection: Any = LaneProtocol
        gasgi.ASGIProtocol = connection
        sys.setswitchinterval(SWITCH_SECONDS)
        self.cfg.set("graceful_timeout", IDLE_SECONDS)  # in this process; the master waits longer
        super().init_process()
