"""Heads of requests: the plainest form is read, everything else is left to gunicorn's parser."""

import pytest

from service.head import MOST_REMEMBERED, Head, HeadReader, parse
from service.request import Headers, Target

LINE = b"POST /v1/models/digits:predict HTTP/1.1"
FIELDS = (
    b"Host: a",
    b"X-Model-Version: 3",
    b"Content-Length: 12",
    b"Content-Type: application/json",
)


def raw(*fields: bytes, line: bytes = LINE) -> bytes:
    """Return a head without the empty line at its end."""
    return b"\r\n".join([line, *fields])


def test_plain() -> None:
    """A head says what it asks for, whatever other fields it has."""
    head = parse(raw(*FIELDS, b"Accept: */*", b"User-Agent: \xff", b"X-Empty:"))
    assert head == Head(
        Target("v1", "digits", ""),
        Headers(b"application/json", content_length=b"12", model_version=b"3"),
        12,
    )


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/v1/models/a.b_c/versions/12:predict", ("v1", "a.b_c", "12")),
        (b"/v2/models/m/infer", ("v2", "m", "")),
        (b"/v2/models/m/versions/1/infer", ("v2", "m", "1")),
    ],
)
def test_paths(path: bytes, target: tuple[str, str, str]) -> None:
    """All prediction routes are read."""
    head = parse(raw(*FIELDS, line=b"POST " + path + b" HTTP/1.1"))
    assert head is not None
    assert head.target == target


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/models/digits:predict HTTP/1.1",
        b"POST /v1/models/digits:predict HTTP/1.0",
        b"POST /v1/models/digits:predict?x=1 HTTP/1.1",
        b"POST /v1/models/di%67its:predict HTTP/1.1",
        b"POST http://a/v1/models/digits:predict HTTP/1.1",
        b"POST  /v1/models/digits:predict HTTP/1.1",
        b"POST /v1/models/digits:predict",
        b"POST /v1/models/digits HTTP/1.1",
        b"POST /metrics HTTP/1.1",
        b" POST /v1/models/digits:predict HTTP/1.1",
        b"",
    ],
)
def test_other_request_lines(line: bytes) -> None:
    """Another method, version, form or route isn't read here."""
    assert parse(raw(*FIELDS, line=line)) is None


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS[1:],  # no host
        (FIELDS[0], *FIELDS[3:]),  # no length
        (*FIELDS, b"Content-Length: 12"),
        (*FIELDS, b"content-length: 13"),
        (*FIELDS, b"Host: b"),
        (*FIELDS, b"Transfer-Encoding: chunked"),
        (*FIELDS, b"Expect: 100-continue"),
        (*FIELDS, b"Upgrade: h2c"),
        (*FIELDS, b"Connection: close"),
        (*FIELDS, b" folded"),
        (*FIELDS, b"\tfolded: x"),
        (*FIELDS, b"No-Colon"),
        (*FIELDS, b"Space : x"),
        (*FIELDS, b": x"),
        (*FIELDS, b"X-Bare: a\nTransfer-Encoding: chunked"),
        (*FIELDS, b"X-Nul: \x00"),
        (*FIELDS, b"X-Large: " + b"x" * 8200),
        (FIELDS[0], b"Content-Length: +12", FIELDS[3]),
        (FIELDS[0], b"Content-Length: 1e1", FIELDS[3]),
        (FIELDS[0], b"Content-Length: 1234567890", FIELDS[3]),
        (FIELDS[0], b"Content-Length: 12, 12", FIELDS[3]),
        (FIELDS[0], b"Content-Length:", FIELDS[3]),
    ],
)
def test_other_fields(fields: tuple[bytes, ...]) -> None:
    """Whatever frames the message otherwise, or could be read in two ways, isn't read here."""
    assert parse(raw(*fields)) is None


def test_remembered_without_its_id() -> None:
    """Requests that differ in their id alone share a head, wherever it stands; each keeps its id."""
    for place in (0, 2, len(FIELDS)):
        reader = HeadReader()
        found = []
        for number in (b"one", b"two"):
            fields = [*FIELDS[:place], b"X-Request-ID: " + number, *FIELDS[place:]]
            found.append(reader.read(raw(*fields)))
        assert found[0][0] == parse(raw(*FIELDS))
        assert found[0][0] is found[1][0]
        assert [request_id for _, request_id in found] == [b"one", b"two"]


def test_an_id_hides_nothing() -> None:
    """What stands behind the id is read as strictly, also when a head like it has been seen."""
    reader = HeadReader()
    assert reader.read(raw(*FIELDS, b"X-Request-ID: a"))[0] is not None
    for rest in (b" folded", b"Transfer-Encoding: chunked", b"Content-Length: 3", b"x"):
        assert reader.read(raw(*FIELDS, b"X-Request-ID: a", rest))[0] is None


def test_an_id_before_the_request_line() -> None:
    """An id is a field and stands behind the request line, or the head isn't one."""
    head = b"\r\nX-Request-ID: a\r\n" + raw(*FIELDS)
    assert HeadReader().read(head)[0] is None


def test_other_spellings_of_the_id() -> None:
    """An id in another case is found as well; without one there is none."""
    reader = HeadReader()
    assert reader.read(raw(*FIELDS, b"x-request-id: a"))[1] == b"a"
    assert reader.read(raw(*FIELDS))[1] == b""
    assert reader.read(b"nonsense") == (None, b"")


TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
PARENT = b"00-" + TRACE + b"-" + SPAN + b"-01"


@pytest.mark.parametrize("place", range(len(FIELDS) + 1))
@pytest.mark.parametrize("given", [(), (b"X-Request-ID: a",)], ids=["no id", "behind an id"])
def test_a_traced_client_fills_no_table(place: int, given: tuple[bytes, ...]) -> None:
    """What a traced client sends differs each time, and its heads are one in the table all the same."""
    reader = HeadReader()
    for number in range(50):
        parent = b"00-%032x-%016x-01" % (number, number)
        traced = (b"traceparent: " + parent, b"tracestate: a=%d" % number, b"Baggage: b=%d" % number)
        head, _ = reader.read(raw(*FIELDS[:place], *given, *traced, *FIELDS[place:]))
        assert head is not None
        assert head.headers.traceparent == parent
        bare = head._replace(headers=head.headers._replace(traceparent=b""))
        assert bare == parse(raw(*FIELDS))
    assert len(reader._known) == 1


def test_traced_and_untraced_heads_are_apart() -> None:
    """A head without a traceparent never gets another one's, and one keeps its id."""
    reader = HeadReader()
    traced = raw(*FIELDS, b"X-Request-ID: a", b"Traceparent:" + PARENT)
    for _ in range(2):
        head, request_id = reader.read(traced)
        assert (head.headers.traceparent, request_id) == (PARENT, b"a")
        head, request_id = reader.read(raw(*FIELDS, b"X-Request-ID: b"))
        assert (head.headers.traceparent, request_id) == (b"", b"b")


def test_a_longer_parent_is_a_field_of_its_own() -> None:
    """Of a traceparent in a form to come nothing is cut off that would stick to the field before."""
    longer = PARENT.replace(b"00-", b"cc-", 1) + b"-more"
    head, _ = HeadReader().read(raw(*FIELDS, b"traceparent: " + longer))
    assert head.headers.content_type == b"application/json"
    assert head.headers.traceparent == longer


def test_two_parents_are_none() -> None:
    """Of several traceparents nobody knows which one holds: the request begins a trace."""
    head, _ = HeadReader().read(raw(*FIELDS, b"traceparent: " + PARENT, b"traceparent: " + PARENT))
    assert head.headers.traceparent == b""


@pytest.mark.parametrize(
    "fields",
    [
        (b"traceparent: " + PARENT, b" folded"),
        (b"traceparent: " + PARENT, b"Transfer-Encoding: chunked"),
        (b"traceparent: " + PARENT, b"Content-Length: 3"),
        (b"tracestate: a\nTransfer-Encoding: chunked",),
        (b"tracestate: a\rb",),
        (b"traceparent : " + PARENT,),
    ],
)
def test_a_trace_hides_nothing(fields: tuple[bytes, ...]) -> None:
    """What stands beside a trace is read as strictly, also when a head like it has been seen."""
    reader = HeadReader()
    assert reader.read(raw(*FIELDS, b"traceparent: " + PARENT))[0] is not None
    assert reader.read(raw(*FIELDS, *fields))[0] is None
    assert reader.read(b"\r\ntraceparent: " + PARENT + b"\r\n" + raw(*FIELDS))[0] is None


def test_memory_is_bounded() -> None:
    """However many heads there are, not more than a fixed number is remembered, and all are read."""
    reader = HeadReader()
    for number in range(MOST_REMEMBERED + 10):
        head, _ = reader.read(raw(*FIELDS, b"X-Other: %d" % number))
        assert head is not None
    assert len(reader._known) <= MOST_REMEMBERED
    before = len(reader._known)
    large = raw(*FIELDS, b"X-Large: " + b"x" * 4000)
    assert reader.read(large)[0] == reader.read(large)[0] == parse(large) is not None
    assert len(reader._known) == before
