"""`toolbridge doctor` as a command: usage, output, and no secret in it."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from support.doctor_recordings import RECORDINGS, recorded
from toolbridge_contract.tokens import mint
from toolbridge_harness import cli
from toolbridge_harness.doctor.decide import decide
from toolbridge_harness.doctor.model import Probe
from toolbridge_harness.doctor.render import as_json, as_text
from toolbridge_harness.doctor.symptoms import SYMPTOMS
from toolbridge_harness.redact import Redactor

KEY = "k" * 16 + "y" * 16


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and no TOOLBRIDGE_ variable of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("TOOLBRIDGE_"):
            monkeypatch.delenv(name)
    return tmp_path


def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("arguments", "settings", "problem"),
    [
        ([], {}, "Missing argument 'URL'"),
        (["ftp://a.test"], {}, "is not a URL"),
        (["https://a.test?token=x"], {}, "the URL has a query"),
        (["https://a.test", "--diagnose", "none.json"], {}, "none.json: cannot be read"),
        (["https://a.test", "--token-file", "none"], {}, "none: cannot be read"),
        (["https://a.test", "--token-file", "empty"], {}, "empty is empty"),
        (["https://a.test", "--api-fingerprint", "secret"], {}, "is not 8 hex digits"),
        (["https://a.test"], {"TOKEN": "two words"}, "the token has blanks"),
        (["https://a.test"], {"TOKEN": "x "}, "TOOLBRIDGE_TOKEN has blanks"),
        (["https://a.test"], {"JWT_SECRET": KEY}, "TOOLBRIDGE_JWT_SECRET needs TOOLBRIDGE_TENANT"),
        (["https://a.test"], {"TOKENS_FILE": "none"}, "none: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line_and_four(
    arguments: list[str],
    settings: dict[str, str],
    problem: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is contacted, and no value of a secret is repeated."""
    (folder / "empty").touch()
    for name, value in settings.items():
        monkeypatch.setenv(f"TOOLBRIDGE_{name}", value)

    assert 4 == cli.run(["doctor", *arguments])
    printed = capsys.readouterr()
    assert problem in printed.err
    assert ("", 1) == (printed.out, len(printed.err.splitlines()))
    assert KEY not in printed.err
    assert "two words" not in printed.err


def test_a_cause_is_one_and_json_is_one_document() -> None:
    """The same run, for people and for programs."""
    url = closed()
    people, program = (
        CliRunner().invoke(cli.toolbridge, ["doctor", url, *more]) for more in ([], ["--json"])
    )
    found = json.loads(program.stdout)

    assert (1, 1) == (people.exit_code, program.exit_code)
    assert people.stdout.startswith(f"{found['headline']}\n")
    assert ("app_connect", "2", "connect") == (found["cause"], found["row"], found["at"])
    assert [("resolve", "ok"), ("connect", "root cause")] == [
        (probe["name"], probe["verdict"]) for probe in found["probes"]
    ]


def test_a_given_token_needs_no_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key without a tenant mints nothing, and the given token is used."""
    monkeypatch.setenv("TOOLBRIDGE_TOKEN", mint("anna", "t", KEY))
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", KEY)
    done = CliRunner().invoke(cli.toolbridge, ["doctor", closed(), "--json"])

    assert {"resolve", "connect", "token"} == {p["name"] for p in json.loads(done.stdout)["probes"]}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda r: f"{r.cause}-{r.at}")
def test_every_cause_is_printed_with_what_to_do(recording: Any) -> None:
    """First the cause, then the fix; how sure, where it is not; every probe with its verdict."""
    probes = recording.probes()
    found = decide(probes)
    text = as_text("https://a.test/mcp", probes, found, Redactor())
    symptom = SYMPTOMS[recording.cause]

    assert text.startswith(f"ROOT CAUSE {symptom.cause}\n")
    assert f"  fix       {symptom.remedy}\n" in text
    assert recording.inferred == ("inferred from the proxy's error code" in text)
    assert recording.certain != ("most likely" in text)
    assert len(probes) == text.count("    sent      ")


def test_an_unexplained_answer_and_a_note_are_printed() -> None:
    """NO VERDICT says where; a note follows a sound verdict."""
    odd = recorded({"call": {"code": "teapot"}})
    noted = recorded({"edge": {"resource_metadata": 404, "sound": True}})
    said = [as_text("t", probes, decide(probes), Redactor()) for probes in (odd, noted)]

    assert said[0].startswith("NO VERDICT this is not as expected")
    assert "  seen      P0 sent by call: got by call\n" in said[0]
    assert said[1].startswith("NOTHING FOUND")
    assert "  note      a client that looks for OAuth" in said[1]


def test_no_secret_is_printed_in_any_form() -> None:
    """Whatever an answer echoes: the key, a token, a signature."""
    echoed = f"{KEY} {mint('anna', 't', KEY)} {'ab' * 32}"
    probes = [Probe("resolve", "P1", echoed, echoed, echoed, False)]
    redactor = Redactor([KEY])
    for render in (as_text, as_json):
        printed = render("t", probes, decide(probes), redactor)
        assert KEY not in printed
        assert "eyJ" not in printed
        assert "ab" * 32 not in printed


def test_the_document_lists_every_cause() -> None:
    """docs/doctor.md has a row per cause, as it is printed."""
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    rows = [f"| `{name}` | {s.row} | {s.cause} |" for name, s in SYMPTOMS.items()]

    assert [] == [row for row in rows if row not in page]
