"""The recorder and the faults on their own: violations, bounds, matching."""

import pytest

from support.contract_caller import JWT_SECRET, START_NS, TENANT_SECRET, Caller, make_api
from toolbridge_contract.mock.faults import Fault, Faults
from toolbridge_contract.mock.messages import Request
from toolbridge_contract.mock.recording import RecordedRequest, Recorder
from toolbridge_contract.mock.violations import violations
from toolbridge_contract.signing import tenant_headers
from toolbridge_contract.tokens import mint

NOW_MS = START_NS // 1_000_000
UID = "11111111-2222-3333-4444-555555555555"


def request(
    method: str = "GET",
    target: str = "/v1/notes",
    change: dict[str, str | None] | None = None,
    extra: list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> Request:
    headers = {**Caller(make_api(), "ann").headers(), **(change or {})}
    pairs = [(name, value) for name, value in headers.items() if value is not None]
    encoded = [(name.encode(), value.encode()) for name, value in [*pairs, *(extra or [])]]
    return Request(method, target, encoded, body)


UNSIGNED: dict[str, str | None] = dict.fromkeys(
    ("X-TB-Tenant-ID", "X-TB-Timestamp", "X-TB-Signature")
)
SIGNATURE = tenant_headers("tenant-a", TENANT_SECRET, NOW_MS)["X-TB-Signature"]


@pytest.mark.parametrize(
    ("method", "target", "change", "extra", "expected"),
    [
        ("GET", "/v1/notes", {}, [], []),
        ("POST", "/v1/sync/sessions", {}, [], []),
        ("GET", "/healthz", UNSIGNED, [], []),
        ("GET", "/v1/sync/info", UNSIGNED, [], []),
        ("PUT", f"/v1/notes/{UID}", {"If-Match": "7"}, [], []),
        (
            "GET",
            "/v1/notes",
            UNSIGNED,
            [],
            ["tenant headers: a tenant header is missing or empty"],
        ),
        (
            "GET",
            "/v1/notes",
            {"X-TB-Signature": "0" * 64},
            [],
            ["tenant headers: the signature does not match"],
        ),
        (
            "GET",
            "/v1/notes",
            {"X-TB-Signature": SIGNATURE.upper()},
            [],
            ["tenant headers: the signature is upper-case hex"],
        ),
        (
            "GET",
            "/v1/notes",
            dict(tenant_headers("tenant-a", TENANT_SECRET, NOW_MS // 1000)),
            [],
            ["tenant headers: the timestamp is more than 300 s from the server's clock"],
        ),
        (
            "GET",
            "/v1/notes",
            {"X-TB-Timestamp": "now"},
            [],
            ["tenant headers: the timestamp is not a 64-bit decimal integer"],
        ),
        (
            "GET",
            "/v1/notes",
            {},
            [("x-tb-signature", SIGNATURE), ("authorization", "x")],
            ["header sent 2 times: authorization", "header sent 2 times: x-tb-signature"],
        ),
        ("GET", "/v1/notes", {}, [("Accept", "a"), ("Accept", "b")], []),
        (
            "PUT",
            f"/v1/notes/{UID}",
            {"If-Match": 'W/"1"'},
            [],
            ["If-Match does not parse: 'W/\"1\"'"],
        ),
        ("GET", "/v1/notes", {"X-Debug-Sub": "x"}, [], ["X-Debug-Sub sent"]),
        ("GET", "/v1/nope?a=b", {}, [], ["path outside the known routes: '/v1/nope'"]),
        ("GET", "/v1/notes/%zz", {}, [], ["path outside the known routes: '/v1/notes/%zz'"]),
        ("PATCH", "/v1/notes", {}, [], ["method not allowed there: PATCH '/v1/notes'"]),
    ],
)
def test_what_a_correct_proxy_never_sends_is_named(
    method: str,
    target: str,
    change: dict[str, str | None],
    extra: list[tuple[str, str]],
    expected: list[str],
) -> None:
    """A correct request has no violation; each fault has its phrase."""
    assert expected == violations(request(method, target, change, extra), TENANT_SECRET, START_NS)


@pytest.mark.parametrize("name", ["Host", "Content-Length", "If-Match", "X-Sync-Session"])
def test_headers_that_come_once_are_watched(name: str) -> None:
    """Equal values count as well."""
    asked = request("PUT", f"/v1/notes/{UID}", {name: "5"}, [(name, "5")])

    assert violations(asked, TENANT_SECRET, START_NS) == [f"header sent 2 times: {name.lower()}"]


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        (f"Bearer {mint('ann', 't', JWT_SECRET)}", "ann"),
        (f"Bearer {mint('ann', 't', 'another-secret-of-at-least-32-bytes')}", "ann"),
        (f"Bearer {mint('ann', 't', JWT_SECRET, lifetime=-5)}", "ann"),
        (f"bearer {mint('ann', 't', JWT_SECRET)}", "ann"),
        (f"Bearer {mint('ann', 't', JWT_SECRET, sub=5)}", ""),
        ("Bearer a.b.c", ""),
        ("Bearer .bnVsbA.", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_caller_is_read_without_verification(authorization: str | None, caller: str) -> None:
    """So that a request with a bad token is attributed too."""
    record = Recorder().add(request(change={"Authorization": authorization}), [])

    assert caller == record.caller


def test_records_are_kept_by_caller_and_sequence() -> None:
    """`after` and the caller narrow; order is that of arrival."""
    recorder = Recorder()
    for subject in ("ann", "bob", "ann"):
        token = f"Bearer {mint(subject, 't', JWT_SECRET)}"
        recorder.add(request(change={"Authorization": token}), [])

    assert [record.seq for record in recorder.requests()] == [1, 2, 3]
    assert [record.seq for record in recorder.requests("ann")] == [1, 3]
    assert [record.seq for record in recorder.requests("ann", after=1)] == [3]
    assert [record.seq for record in recorder.requests(after=1, limit=1)] == [2]
    assert recorder.requests("eve") == []


def test_the_oldest_records_are_dropped_and_counted() -> None:
    """By number and by bytes of bodies, in every view."""
    recorder = Recorder(max_records=3, max_body_bytes=100)
    for _ in range(5):
        recorder.add(request(), [])
    assert [record.seq for record in recorder.requests("ann")] == [3, 4, 5]
    recorder.add(request(body=b"x" * 60), [])
    recorder.add(request(body=b"y" * 60), [])

    assert [record.seq for record in recorder.requests()] == [7]
    assert [record.seq for record in recorder.requests("ann")] == [7]
    assert (recorder.recorded, recorder.dropped) == (7, 6)


def test_a_record_survives_json() -> None:
    """Bytes and repeats included."""
    asked = request(extra=[("X-A", "é"), ("X-A", "2")], body=b"\xff\x00")
    recorder = Recorder()
    recorder.add(asked, ["v", "w"])
    (record,) = recorder.requests()

    again = RecordedRequest.from_json(record.to_json())
    assert record == again
    assert ["v", "w"] == again.violations
    assert ("é".encode().decode("latin-1"), None) == (again.header("x-a"), again.header("x-b"))


def test_a_fault_survives_json() -> None:
    """Tuples and bytes included."""
    fault = Fault("ann", ("GET",), "/v1/.*", 2, "answer", 502, (("A", "b"),), b"\xff", 1.5, True)

    assert fault == Fault.from_json(fault.to_json())
    assert Fault() == Fault.from_json({})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "explode"}, "fault kind 'explode' is unknown: use one of answer, delay"),
        ({"times": 0}, "fault times 0 is too small"),
        ({"status": 99}, "fault status 99 is not a final HTTP status"),
        ({"seconds": -1}, "fault seconds -1 must be 0 or more"),
        ({"seconds": float("nan")}, "fault seconds nan must be 0 or more"),
        ({"path": "("}, "fault path '(' is no regular expression"),
        ({"headers": [["A b", "c"]]}, "fault header 'A b' is no HTTP header"),
        ({"headers": [["A", "c\r\nB: d"]]}, "fault header 'A' is no HTTP header"),
        ({"headers": [["Content-Length", "5"]]}, "fault header 'Content-Length' is the server's"),
        ({"color": "red"}, "fault has unknown fields: color"),
        ({"status": "many"}, "fault has a field of the wrong type"),
        ({"methods": 5}, "fault has a field of the wrong type"),
    ],
)
def test_a_wrong_fault_is_refused_in_one_line(data: dict[str, object], message: str) -> None:
    """The line names the field."""
    with pytest.raises(ValueError, match="fault") as refusal:
        Fault.from_json(data)

    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(), True),
        (Fault(caller="ann"), True),
        (Fault(caller="bob"), False),
        (Fault(caller=""), False),
        (Fault(methods=("POST", "GET")), True),
        (Fault(methods=("POST",)), False),
        (Fault(path="/v1/notes"), True),
        (Fault(path="/v1/.*"), True),
        (Fault(path="/v1"), False),
        (Fault(path="notes"), False),
    ],
)
def test_a_fault_matches_by_caller_method_and_whole_path(fault: Fault, expected: bool) -> None:
    """An empty condition is met by everything."""
    faults = Faults()
    faults.inject(fault)

    assert expected == (faults.take("ann", "GET", "/v1/notes") is not None)


def test_the_first_matching_fault_wins_until_it_is_spent() -> None:
    """In the order of injection."""
    faults = Faults()
    for status, times in ((500, 2), (502, 1), (503, None)):
        faults.inject(Fault(status=status, times=times))
    taken = [faults.take("ann", "GET", "/") for _ in range(5)]

    assert [active.fault.status for active in taken if active] == [500, 500, 502, 503, 503]


def test_clearing_removes_one_callers_faults_or_all() -> None:
    """A spent fault that a request hangs on is released as well."""
    faults = Faults()
    for caller in ("ann", "bob", None):
        faults.inject(Fault(caller=caller, kind="hang", times=1))
    hanging = faults.take("ann", "GET", "/")
    assert hanging is not None
    faults.clear("bob")
    assert not hanging.cleared.is_set()
    assert faults.take("bob", "GET", "/") is not None
    faults.clear("ann")
    assert hanging.cleared.is_set()
    faults.inject(Fault())
    faults.clear()

    assert not faults
