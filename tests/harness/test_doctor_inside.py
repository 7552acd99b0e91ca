"""Reading the JSON of diagnose, and judging a token without sending it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from toolbridge_contract.tokens import mint
from toolbridge_harness.doctor.decide import decide
from toolbridge_harness.doctor.inside import fingerprint, inside_probes, read_inside, tenant_inside
from toolbridge_harness.doctor.token import token_probe
from toolbridge_harness.errors import UsageProblem

KEY = "k" * 32
NOW = 1_800_000_000.0


def form(**changes: Any) -> dict[str, Any]:
    plain = {"bytes": 8, "blank_edged": False, "line_break": False, "quoted": False}
    return plain | {"fingerprint": "0badcafe"} | changes


def document(**changes: Any) -> dict[str, Any]:
    """The document of a sound machine, run without a token."""
    probe = {"at": 1.0, "ms": 1.0}
    info = '{"serverTime":"2026-01-01T00:00:00Z"}'
    found: dict[str, Any] = {
        "format": 1,
        "error": None,
        "settings": {
            "TOOLBRIDGE_TENANT_ID": form(value="tenant-a"),
            "TOOLBRIDGE_TENANT_HEADER_SECRET": form(),
            "TOOLBRIDGE_JWT_SECRET": form(fingerprint=fingerprint(KEY)),
        },
        "base_url": "https://api.test",
        "dns": probe | {"addresses": ["192.0.2.1"]},
        "tcp": {"192.0.2.1": probe},
        "healthz": probe | {"status": 200, "location": None, "body": "ok"},
        "info": probe | {"status": 200, "location": None, "body": info},
        "skew": probe | {"seconds": 0.2, "uncertainty_seconds": 0.01},
    }
    return found | changes


def cause(found: dict[str, Any], **fingerprints: str) -> str | None:
    return decide(list(inside_probes(found, **fingerprints))).symptom


def test_a_sound_document_has_no_cause_and_no_verdict() -> None:
    """The inside alone makes no call."""
    found = decide(list(inside_probes(document())))

    assert (None, None, 1) == (found.symptom, found.at, found.exit_code)


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("config", {"error": "TOOLBRIDGE_TENANT_ID is not set"}),
        (
            "config_blank",
            {"error": "x", "settings": {"TOOLBRIDGE_TENANT_ID": form(blank_edged=True)}},
        ),
        ("config_blank", {"error": "x", "settings": {"TOOLBRIDGE_JWT_SECRET": form(quoted=True)}}),
        ("api_dns", {"dns": {"kind": "gaierror", "error": "unknown"}, "tcp": {}}),
        ("api_unreachable", {"tcp": {"::1": {"kind": "ConnectionRefusedError", "error": "no"}}}),
        ("api_tls", {"healthz": {"kind": "ConnectError", "error": "[SSL: WRONG_VERSION_NUMBER]"}}),
        ("api_slow", {"healthz": {"kind": "ReadTimeout", "error": ""}}),
        ("api_redirect", {"healthz": {"status": 308, "location": "https://x.test", "body": ""}}),
        ("api_other_service", {"healthz": {"status": 200, "body": "<html>"}}),
        ("api_other_service", {"info": {"status": 404, "body": ""}}),
        ("api_other_service", {"skew": {"kind": "KeyError", "error": "serverTime"}}),
    ],
)
def test_the_first_row_that_fits_is_the_cause(expected: str, changes: dict[str, Any]) -> None:
    """From the top of the document, as docs/diagnose.md reads it."""
    assert expected == cause(document(**changes))


def test_one_address_family_that_works_is_enough() -> None:
    """The proxy takes the other address."""
    tried = {"::1": {"kind": "TimeoutError", "error": "timed out"}, "192.0.2.1": {"ms": 1.0}}

    assert None is cause(document(tcp=tried))


def test_a_key_that_differs_is_said() -> None:
    """Fingerprints are compared, and no key is shown."""
    same, other = (next(inside_probes(document(), None, fingerprint(k))) for k in (KEY, "o" * 32))

    assert (True, False) == (same.seen["jwt_key_equal"], other.seen["jwt_key_equal"])
    assert "TOOLBRIDGE_JWT_SECRET differs from the one here" in other.got
    assert "differs" not in same.got


def test_what_ssh_prints_around_the_document_is_passed_over(tmp_path: Path) -> None:
    """A banner before it, a shell's last words behind it."""
    path = tmp_path / "found.json"
    path.write_text(f"Connecting to fdaa:0:1... complete\n{json.dumps(document())}\nbye {{}}\n")

    assert document() == read_inside(path)
    assert "tenant-a" == tenant_inside(read_inside(path))


def test_a_document_may_come_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is the pipe from fly ssh console."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document())))

    assert document() == read_inside(Path("-"))


@pytest.mark.parametrize("text", ["", "no json", "[1]", "{", '{"format": 2}', "{}", b"\xff"])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str | bytes) -> None:
    """In one line that says what to give."""
    path = tmp_path / "found.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)

    with pytest.raises(UsageProblem, match=r"--diagnose .*found\.json: (no JSON|cannot be read)"):
        read_inside(path)


@pytest.mark.parametrize(
    "odd", [{"dns": 1}, {"tcp": []}, {"signed": {"local_time": {}}}, {"settings": []}]
)
def test_fields_of_another_shape_do_not_end_the_doctor(odd: dict[str, Any]) -> None:
    """A document edited by hand gets a verdict like any other."""
    assert decide(list(inside_probes(document(**odd)))).exit_code == 1


@pytest.mark.parametrize(
    ("expected", "claims"),
    [
        (None, {}),
        ("token_expired", {"exp": int(NOW) - 1}),
        ("token_not_yet", {"nbf": int(NOW) + 600}),
        ("token_not_yet", {"iat": int(NOW) + 600}),
        ("token_form", {"sub": None}),
        ("token_form", {"sub": 7}),
        ("tenant_mismatch", {"tenant_id": "Tenant-a"}),
        ("tenant_mismatch", {"tenant_id": "tenant-a\u200b"}),
    ],
)
def test_a_token_is_judged_by_its_claims(expected: str | None, claims: dict[str, Any]) -> None:
    """Beside the tenant id that the inside shows."""
    given = mint("anna", str(claims.pop("tenant_id", "tenant-a")), KEY, now=NOW, **claims)
    probe = token_probe(given, NOW, "tenant-a", None)

    assert expected == decide([probe]).symptom
    assert given not in probe.got


def test_what_is_no_token_is_said_without_showing_it() -> None:
    """It may be a password that was pasted by mistake."""
    probe = token_probe("hunter2-hunter2", NOW, None, None)

    assert "token_form" == decide([probe]).symptom
    assert "hunter2" not in probe.got
    assert "it cannot be read as a JWT" == probe.got


def test_tenants_are_shown_side_by_side_with_their_characters() -> None:
    """A blank of no width shows as its code point, and in the length."""
    given = mint("anna", "tenant-a\u200b", KEY, now=NOW)
    probe = token_probe(given, NOW, "tenant-a", None)

    assert "tenant_id 'tenant-a\\u200b' (9 characters)" in probe.got
    assert "'tenant-a'" in probe.expected
