"""Exit with 0 if the replica in this container is ready to predict, else with 1 and its reason.

Docker calls it every few seconds (HEALTHCHECK in deploy/Dockerfile). Ready, not just alive: start-up
waits for it, and Docker takes no action on an unhealthy container. An orchestrator that kills
unhealthy ones has to ask /health/live instead.
"""

import socket  # an HTTP client would take longer to import than to use
import sys

try:
    with socket.create_connection(("127.0.0.1", 8000), timeout=2) as connection:
        connection.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
        reply = connection.makefile("rb").read().decode(errors="replace")
except OSError as error:
    sys.exit(f"no reply: {error}")
if " 200 " not in reply.partition("\r\n")[0]:
    sys.exit(reply)
