"""Whether a registry is the one that a stack serves from: otherwise its answers aren't the right ones.

A machine may have a local stack's registry, and a stack in containers with one of its own.
"""

import http.client
from urllib.parse import urlsplit

import msgspec

PATIENCE_SECONDS = 2


def serves(url: str, model: str, version: int, digest: str) -> bool:
    """Tell whether the stack has the same version under this number; one that is silent may have it."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/v2/models/{model}/versions/{version}")
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    if reply.status != 200:
        # Whoever doesn't speak V2 is asked for predictions all the same.
        return not (reply.status == 404 and content.startswith(b'{"error"'))
    try:
        found: str = msgspec.json.decode(content)["parameters"]["digest"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return True
    return found == digest
