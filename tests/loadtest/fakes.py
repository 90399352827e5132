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
    """A body, and the headers that it came with."""

    headers: Mapping[str, str]


@contextmanager
def answering(answer: Callable[[bytes], Reply]) -> Iterator[tuple[str, list[Received]]]:
    """Answer each POST with what a function makes of its body; yield URL and received bodies."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet, else each reply waits for an ACK

        def do_POST(self) -> None:
            received.append(Received(self.rfile.read(int(self.headers["Content-Length"]))))
            received[-1].headers = self.headers
            status, headers, body = answer(received[-1])
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
