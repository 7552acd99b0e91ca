"""The probes from outside, on servers on loopback that answer what they are told to."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import time
from typing import Any

import jwt
import pytest
import trustme

from support.contract_threaded import threaded_mock
from support.diagnose_runs import Answer, canned
from toolbridge_contract.tokens import mint
from toolbridge_harness.config import split_url
from toolbridge_harness.doctor import calls, network
from toolbridge_harness.doctor.decide import decide
from toolbridge_harness.doctor.examine import Patient, examine
from toolbridge_harness.tokens import Minted, NoTokens

KEY = "k" * 32
Serve = Callable[[BaseHTTPRequestHandler], Answer]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here has a rate limit."""
    monkeypatch.setattr(calls, "PAUSE_SECONDS", 0.0)


def patient(url: str, **fields: Any) -> Patient:
    origin, path = split_url(url)
    return Patient(origin, path, fields.pop("source", Minted(KEY, "t")), tenant="t", **fields)


def cause(answer: Serve, **fields: Any) -> str | None:
    with canned(answer) as url:
        return decide(examine(patient(url, **fields))).symptom


def rpc(**message: Any) -> Answer:
    return 200, JSON, json.dumps({"jsonrpc": "2.0", "id": 1, **message}).encode()


def mcp(call: Callable[[str, dict[str, Any]], Answer]) -> Serve:
    """A server that greets and is healthy, refuses all tokens but good ones, and answers `call`."""

    def answer(request: BaseHTTPRequestHandler) -> Answer:
        size = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(size)) if size else {}
        if body.get("method") != "tools/call":
            return rpc(result={"serverInfo": {"name": "x"}})
        if body["params"]["name"] == "health_check":
            return rpc(result={"content": []})
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not good(given):
            return 401, {"WWW-Authenticate": "Bearer"} | JSON, b"{}"
        return call(body["params"]["name"], body["params"]["arguments"])

    return answer


def good(token: str) -> bool:
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return False
    return bool(claims["tenant_id"] == "t")


def error(code: str | None, text: str = "no") -> Answer:
    known = {"structuredContent": {"error": {"code": code}}} if code else {}
    return rpc(result={"isError": True, "content": [{"type": "text", "text": text}], **known})


LISTED = rpc(result={"content": [], "structuredContent": {"items": []}})


def test_a_server_that_does_everything_right_has_nothing() -> None:
    """Tokens are refused as they should be, and calls succeed."""
    assert None is cause(mcp(lambda *_: LISTED))


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("edge", lambda _: (502, {}, b"")),
        ("wrong_path", lambda _: (404, {}, b"not found")),
        ("unknown_method", lambda _: (404, JSON, rpc(error={"code": -32601})[2])),
        ("client_headers", lambda _: (406, {}, b"")),
        ("host_guard", lambda _: (421, {}, b"")),
        ("plain_http", lambda _: (301, {"Location": "https://app.test/"}, b"")),
    ],
)
def test_an_outer_layer_is_the_cause(expected: str, answer: Serve) -> None:
    """And no token is sent to what does not speak MCP."""
    sent: list[str | None] = []

    def noted(request: BaseHTTPRequestHandler) -> Answer:
        sent.append(request.headers.get("Authorization"))
        return answer(request)

    assert expected == cause(noted)
    assert {None} == set(sent)


@pytest.mark.parametrize(
    ("expected", "code", "text"),
    [
        ("tenant_headers", "tenant_headers_rejected", ""),
        ("tenant_headers", None, "401 Unauthorized: invalid tenant headers"),
        ("rate_shared", None, "Rate limit exceeded. Please retry after 1 seconds."),
        ("api_unreachable", None, "All connection attempts failed"),
        ("sync_session", "session_unavailable", ""),
        ("header_dropped", "unauthenticated", ""),
        (None, None, "no idea"),
    ],
)
def test_codes_and_known_texts_name_what_lies_behind(
    expected: str | None, code: str | None, text: str
) -> None:
    """A proxy without codes is read by the words of the Go API and of the usual libraries."""
    assert expected == cause(mcp(lambda *_: error(code, text)))


def test_failures_of_some_calls_are_told_from_those_of_all() -> None:
    """Every second call meets the sick replica."""
    turns = iter([LISTED, error("tenant_headers_rejected")] * 10)

    assert "tenant_headers_sometimes" == cause(mcp(lambda *_: next(turns)))


def test_a_gate_that_is_open_is_the_cause() -> None:
    """Whoever lets garbage in needs no further probe."""
    always = {"result": {"content": [], "structuredContent": {"items": []}}}

    assert "no_auth_needed" == cause(lambda _: rpc(**always))


def test_a_token_that_expired_is_not_sent() -> None:
    """The token's own claims are the cause."""
    sent: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> Answer:
        sent.append(request.headers.get("Authorization", ""))
        return rpc(result={"serverInfo": {}})

    old = mint("anna", "t", KEY, now=time() - 9999)
    assert "token_expired" == cause(answer, token=old)
    assert {""} == set(sent)


class Notes:
    """Notes in memory, with a fault to choose: a lost If-Match, a lost or a doubled note."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.kept: dict[str, dict[str, Any]] = {}

    def call(self, tool: str, given: dict[str, Any]) -> Answer:
        return getattr(self, tool)(given)  # type: ignore[no-any-return]

    def create_note(self, given: dict[str, Any]) -> Answer:
        for uid in ("u1", "u2") if self.fault == "duplicates" else ("u1",):
            self.kept[uid] = {"uid": uid, "version": 1, "payload": {"title": given["title"]}}
        return rpc(result={"structuredContent": {"uid": "u1", "version": 1}})

    def get_note(self, given: dict[str, Any]) -> Answer:
        lost = self.fault == "identity"
        return error("not_found") if lost else rpc(result={"structuredContent": self.kept["u1"]})

    def update_note(self, given: dict[str, Any]) -> Answer:
        note = self.kept[given["uid"]]
        if given["if_match"] != note["version"] and self.fault != "lost_update":
            return error("precondition_failed")
        note["version"] += 1
        return rpc(result={"structuredContent": note})

    def list_notes(self, given: dict[str, Any]) -> Answer:
        return rpc(result={"structuredContent": {"items": list(self.kept.values())}})

    def delete_note(self, given: dict[str, Any]) -> Answer:
        self.kept.pop(given["uid"])
        return rpc(result={"structuredContent": {}})


@pytest.mark.parametrize("fault", ["", "lost_update", "identity", "duplicates"])
def test_the_canary_sees_what_single_calls_do_not(fault: str) -> None:
    """It writes only when it is asked to, and deletes its note again."""
    notes = Notes(fault)

    assert (fault or None) == cause(mcp(notes.call), write=True)
    assert "u1" not in notes.kept
    untouched = Notes(fault)
    assert None is cause(mcp(untouched.call))
    assert {} == untouched.kept


def test_a_clock_that_differs_is_measured_by_the_date_header() -> None:
    """An hour ahead; what a header of whole seconds cannot tell is no difference."""
    there = formatdate(time() + 3600, usegmt=True)
    skew = network.date_skew(there, time(), 0.01)

    assert skew == pytest.approx(3600, abs=2)
    assert "own_clock" == decide([network.clock(skew or 0.0)]).symptom
    assert 0.0 == network.date_skew(formatdate(time(), usegmt=True), time(), 0.01)
    assert network.clock(0.0).ok
    assert None is network.date_skew("yesterday", time(), 0.01)


def test_a_host_that_does_not_resolve_is_the_first_layer() -> None:
    """RFC 6761 keeps .invalid without addresses."""
    found = decide(examine(patient("https://app.invalid", source=NoTokens())))

    assert ("app_dns", "resolve") == (found.symptom, found.at)


def test_plain_http_on_a_tls_port_is_the_tls_layer() -> None:
    """Nothing is sent over a connection that is not verified."""
    with canned(lambda _: (200, {}, b"")) as url:
        found = decide(examine(patient(url.replace("http", "https"))))

    assert ("app_tls", "tls") == (found.symptom, found.at)


def test_a_refused_port_is_the_connection_layer() -> None:
    """The token is still judged, since that needs no network."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    probes = examine(patient(url))

    assert "app_connect" == decide(probes).symptom
    assert ["resolve", "connect", "token"] == [probe.name for probe in probes]


def test_an_authority_of_this_machines_trust_store_is_trusted_by_all_probes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Go API itself is no MCP endpoint: TLS and HTTP were fine, the path is not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with threaded_mock(tmp_path) as url:
        probes = examine(patient(url))

    assert "wrong_path" == decide(probes).symptom
    assert "TLSv1.3" in next(probe.got for probe in probes if probe.name == "tls")


def test_a_certificate_of_an_unknown_authority_is_named() -> None:
    """In the words of the TLS library."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(server)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def greet() -> None:
            connection, _ = listening.accept()
            with connection, pytest.raises(ssl.SSLError):
                server.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=greet)
        thread.start()
        probe = network.handshake("localhost", port)
        thread.join()

    assert "unable to get local issuer certificate" in probe.got
    assert "app_tls" == decide([probe]).symptom
