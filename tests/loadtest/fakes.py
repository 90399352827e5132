"""A small real HTTP server for the tests of what sends load: each answer comes from a function."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Reply = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """Takes 32 connections at once, and that their client goes away."""

    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing: wrk resets its connections at the end of a run."""


class Received(bytes):
    """A body, and the path and the headers that it came with."""

    path: str
    headers: Mapping[str, str]


def refused(path: str) -> Reply:
    """Return what a replica says to a GET of what takes POST."""
    return 405, {}, f'{{"error": "{path} takes POST, got GET"}}'.encode()


@contextmanager
def answering(
    answer: Callable[[Received], Reply], look_up: Callable[[str], Reply] = refused
) -> Iterator[tuple[str, list[Received]]]:
    """Answer each POST with what a function makes of its body; yield URL and received bodies.

    A GET is answered with what `look_up` makes of its path, and isn't among them.
    """
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet, else each reply waits for an ACK

        def do_POST(self) -> None:
            body = Received(self.rfile.read(int(self.headers["Content-Length"])))
            body.path, body.headers = self.path, self.headers
            received.append(body)
            self.reply(*answer(body))

        def do_GET(self) -> None:
            self.reply(*look_up(self.path))

        def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", received
        finally:
            listening.shutdown()
            thread.join()
