"""One request by hand, as odd as a test wants it, and its reply."""

import http.client
import json

import msgspec


class Reply:
    """Status, headers and body of a reply."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self) -> object:
        """The body, decoded."""
        return json.loads(self.body)


def ask(url: str, method: str, path: str, body: object = None, **headers: str) -> Reply:
    """Send one request; a body that isn't bytes goes as JSON."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    sent = {"Content-Type": "application/json"} if body is not None else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    encoded = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
    try:
        connection.putrequest(method, path, skip_host="Host" in sent)
        for name, value in sent.items():
            connection.putheader(name, value)
        if encoded is not None:
            connection.putheader("Content-Length", str(len(encoded)))
        connection.endheaders(encoded)
        return Reply(connection.getresponse())
    finally:
        connection.close()
