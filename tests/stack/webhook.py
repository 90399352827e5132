"""A receiver of alerts: every body that is posted to it becomes a line on its standard output.

A program of its own, `python webhook.py PORT`, because the stack in containers needs one beside it.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Prints what it gets."""

    def do_POST(self) -> None:
        """Print one body, which Alertmanager writes in one line."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(body.replace("\n", " "), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing else."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
