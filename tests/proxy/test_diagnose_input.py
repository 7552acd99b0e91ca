"""`python -m toolbridge_proxy diagnose`: what it takes in, and what it never gives out."""

import base64
import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote

import pytest

from support.contract_caller import JWT_SECRET, TENANT_SECRET
from support.contract_server import ServedMock, served_mock
from support.diagnose_runs import ALL_WELL, Answer, Diagnose, canned, command, in_process, token


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Diagnose]:
    """Run it in this process."""
    with in_process(monkeypatch, capsys) as call:
        yield call


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    """The mock Go API as a process."""
    with served_mock() as served:
        yield served


@pytest.mark.parametrize(
    ("value", "oddities"),
    [
        ("plain", set()),
        (" plain", {"blank_edged"}),
        ("plain\n", {"blank_edged", "line_break"}),
        ("pl\r\nain", {"line_break"}),
        ("pl ain", set()),
        ("plain\u00a0", {"blank_edged", "non_ascii"}),
        ("pl\u200bain", {"non_ascii"}),
        ('"plain"', {"quoted"}),
        ("'plain' ", {"quoted", "blank_edged"}),
        ("\"plain'", set()),
        ("c2VjcmV0LXNlY3JldC1zZWNyZXQ=", {"base64"}),
        ("c2VjcmV0LXNlY3JldC1zZWNyZXQ=\n", {"base64", "blank_edged", "line_break"}),
        ("pl\udcffain", {"non_ascii"}),
    ],
)
def test_the_form_of_a_secret_is_told_and_nothing_else(
    run: Diagnose, value: str, oddities: set[str]
) -> None:
    """Bytes, oddities and a fingerprint, also where the value stops the start."""
    done = run(tenant_header_secret=value)

    form = done.found["settings"]["TOOLBRIDGE_TENANT_HEADER_SECRET"]
    assert oddities == {name for name, there in form.items() if there is True}
    assert len(os.fsencode(value)) == form["bytes"]
    assert "value" not in form


def test_a_fingerprint_is_what_openssl_makes_of_the_same_secret(run: Diagnose) -> None:
    """printf %s doctor-v1 | openssl dgst -sha256 -hmac "$SECRET" | head of 8 digits."""
    done = run(tenant_header_secret="secret-of-the-documentation")

    assert "08385531" == done.found["settings"]["TOOLBRIDGE_TENANT_HEADER_SECRET"]["fingerprint"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("tenant-a", "tenant-a"), ("tenant\u200b", "tenant\\u200b"), (" \udcff", " \\udcff")],
)
def test_the_tenant_id_is_shown_with_code_points(run: Diagnose, value: str, shown: str) -> None:
    """What cannot be seen or told apart is spelled out."""
    done = run(tenant_id=value)

    assert shown == done.found["settings"]["TOOLBRIDGE_TENANT_ID"]["value"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": "tenant-a "},
        {"tenant_header_secret": f"{TENANT_SECRET}\n"},
        {"tenant_header_secret": None},
        {"go_api_base_url": "go-api"},
        {"jwt_secret": "short"},
    ],
    ids=str,
)
def test_a_configuration_that_stops_the_start_is_exit_code_4(
    run: Diagnose, mock: ServedMock, changes: dict[str, str | None]
) -> None:
    """The document is there, with the one line that names the variable; nothing is sent."""
    done = run(token(), **{"go_api_base_url": mock.url, **changes})

    (name,) = changes
    assert (4, 1) == (done.code, done.err.count("\n"))
    assert f"TOOLBRIDGE_{name.upper()}" in done.err
    assert f"toolbridge_proxy: {done.found['error']}\n" == done.err
    assert set() == {"dns", "tcp", "healthz", "info", "signed"} & set(done.found)
    assert "error" not in done.found["total"]


def test_a_misspelled_setting_is_listed_and_an_absent_one_is_not(run: Diagnose) -> None:
    """The names are the environment's own."""
    names = set(run(jwt_secert="x", log_level="DEBUG").found["settings"])

    assert {"TOOLBRIDGE_JWT_SECERT", "TOOLBRIDGE_LOG_LEVEL"} <= names
    assert "TOOLBRIDGE_GO_API_BASE_URL" not in names


def spellings(secret: str) -> set[str]:
    """Return what an encoder may make of a secret, and its halves."""
    raw = secret.encode()
    halves = (secret[: len(secret) // 2], secret[len(secret) // 2 :])
    inner = {base64.b64encode(raw[start:]).decode()[4:-4] for start in range(3)}
    plain = {secret, secret[::-1], raw.hex(), raw.hex().upper(), quote(secret, safe=""), *halves}
    return plain | inner | {base64.urlsafe_b64encode(raw).decode(), repr(list(raw))[1:-1]}


def test_no_secret_is_shown_even_if_the_upstream_echoes_them(run: Diagnose) -> None:
    """Neither secrets nor token nor signature, in any spelling, from body, headers or reason."""
    signatures: set[str] = set()

    def echo(request: BaseHTTPRequestHandler) -> Answer:
        sent = dict(request.headers.items())
        signatures.update({sent.get("X-TB-Signature", "no-signature-here")} - {"no-signature-here"})
        said = json.dumps({"serverTime": "2026-01-01T00:00:00Z", "id": "x", **sent}).encode()
        back = {"Location": sent.get("Authorization", "/"), "Date": sent.get("Authorization", "")}
        return 200, back, said

    with canned(echo) as url:
        given = token()
        done = run(given, go_api_base_url=url)

    secrets = {TENANT_SECRET, JWT_SECRET, given, *given.split("."), *signatures}
    assert len(ALL_WELL) - 1 == len(signatures)
    assert [] == [s for secret in secrets for s in spellings(secret) if s in done.out + done.err]


def test_a_hostile_header_line_does_not_bring_the_token_back(run: Diagnose) -> None:
    """An HTTP client quotes a line that is no header in its error."""
    given = token()

    def spoil(request: BaseHTTPRequestHandler) -> Answer:
        if request.command == "POST":
            request.wfile.write(f"HTTP/1.1 200 OK\r\n{given}\r\n\r\n".encode())
        return 200, {}, b"ok"

    with canned(spoil) as url:
        done = run(given, go_api_base_url=url)

    assert "RemoteProtocolError" == done.found["signed"]["local_time"]["kind"]
    assert given not in done.out


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (b"", "none"),
        (b" \n", "none"),
        (b"\x00" * 10, "unusable"),
        ("tökén".encode(), "unusable"),
        (b"a b", "unusable"),
        (b"token\r\nX-Debug-Sub: alice", "unusable"),
        (b"a" * 20_000, "unusable"),
    ],
    ids=lambda given: repr(given[:8]),
)
def test_what_cannot_be_a_token_is_never_sent(
    run: Diagnose, mock: ServedMock, given: bytes, state: str
) -> None:
    """Blank, binary, long, and lines that would become headers."""
    done = run(given, go_api_base_url=mock.url)

    assert (0, "", state) == (done.code, done.err, done.found["token"])
    assert "signed" not in done.found


@pytest.mark.parametrize("given", [bytes(range(256)), b"a" * 1_000_000], ids=["binary", "huge"])
def test_hostile_standard_input_ends_no_process_in_a_traceback(given: bytes) -> None:
    """As a process."""
    done = command(given, go_api_base_url="http://127.0.0.1:9")

    assert (0, "", "unusable") == (done.code, done.err, done.found["token"])


def test_standard_input_that_stays_open_and_silent_is_not_waited_for_long() -> None:
    """As `fly ssh console -C` leaves it; the process ends by itself."""
    done = command(close=False, go_api_base_url="http://127.0.0.1:9")

    assert (0, "", "none") == (done.code, done.err, done.found["token"])
    assert 3000 <= done.found["total"]["ms"] < 10_000


def test_a_token_on_standard_input_that_stays_open_is_used(run: Diagnose, mock: ServedMock) -> None:
    """The end of the input is not waited for."""
    assert ALL_WELL == run(token(), close=False, go_api_base_url=mock.url).verdicts


def test_the_command_prints_one_document_whatever_the_log_level(mock: ServedMock) -> None:
    """As a process, with a token: standard output is JSON and nothing else."""
    done = command(token().encode(), go_api_base_url=mock.url, log_level="DEBUG")

    assert (0, "", 1, ALL_WELL) == (done.code, done.err, done.found["format"], done.verdicts)


def test_the_command_ends_with_4_and_one_line_when_the_start_would_fail() -> None:
    """As a process, as the proxy itself would."""
    done = command()

    assert (4, "toolbridge_proxy: TOOLBRIDGE_GO_API_BASE_URL: is not set\n") == (
        done.code, done.err,
    )  # fmt: skip
