"""Health of a replica: alive means that its loop answers, ready that it holds every routed version.

Answered on the loop itself and not by Flask: it is asked several times a second, and a page's thread
would hold up predictions for a millisecond each time. Redis is no part of it: without the cache a
replica is slower, not wrong.
"""

import msgspec

from service.reply import Fields, Reply, ReplyHead
from service.versions.registry import Registry

# Ours and the Open Inference Protocol's.
LIVE = ("/health/live", "/v2/health/live")
READY = ("/health/ready", "/v2/health/ready")
PATHS = frozenset(LIVE + READY)


def health(path: str, registry: Registry, fields: Fields) -> Reply:
    """Return the reply for one of `PATHS`."""
    if path in LIVE:
        return Reply(ReplyHead(200, fields), b'{"live":true}')
    missing = registry.missing()
    body = msgspec.json.encode({"ready": not missing, "missing": missing})
    return Reply(ReplyHead(503 if missing else 200, fields), body)
