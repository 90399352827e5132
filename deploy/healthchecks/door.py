"""Exit with 0 if the door's counter in this container answers, else with 1 and its reason."""

import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 9099), timeout=2) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        reply = connection.makefile("rb").read().decode(errors="replace")
except OSError as error:
    sys.exit(f"no reply: {error}")
if " 200 " not in reply.partition("\r\n")[0]:
    sys.exit(reply[:1000])
