"""Settings of the harness."""

import json
from pathlib import Path

import pytest

from toolbridge_contract.tokens import mint
from toolbridge_harness.config import read_environment, setting, split_url, token_source
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Vantage
from toolbridge_harness.tokens import NoTokens

KEY = "k" * 32


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JWT_SECRET", "TENANT_ID", "TOKENS_FILE", "TENANT_HEADER_SECRET"):
        monkeypatch.delenv(f"TOOLBRIDGE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.test", ("https://app.test", "/mcp")),
        ("https://app.test/", ("https://app.test", "/mcp")),
        ("http://127.0.0.1:8001", ("http://127.0.0.1:8001", "/mcp")),
        ("http://[::1]:8001/mcp", ("http://[::1]:8001", "/mcp")),
        ("https://app.test/other/", ("https://app.test", "/other")),
    ],
)
def test_a_url_is_origin_and_path(url: str, expected: tuple[str, str]) -> None:
    """The MCP path is /mcp unless the URL names another."""
    assert expected == split_url(url)


@pytest.mark.parametrize("url", ["app.test", "ftp://app.test", "https://", "http://x:y", "", "::"])
def test_what_is_no_url_is_refused(url: str) -> None:
    """A typo in the URL is one line, not a failed run."""
    with pytest.raises(UsageProblem, match="is not a URL"):
        split_url(url)


def test_a_secret_in_the_url_is_refused_without_repeating_it() -> None:
    """User information in a URL ends up in logs; the line that refuses it does not show it."""
    with pytest.raises(UsageProblem) as refusal:
        split_url("https://user:hunter2@app.test")

    assert "hunter2" not in refusal.value.message


def test_the_environment_comes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A variable wins over `.env`; `.env` serves what is not set, `$` and all."""
    (tmp_path / ".env").write_text("TOOLBRIDGE_TENANT_ID=from-file\nTOOLBRIDGE_JWT_SECRET=a$b\n")
    monkeypatch.setenv("TOOLBRIDGE_TENANT_ID", "from-environment")

    assert "from-environment" == setting("TOOLBRIDGE_TENANT_ID")
    assert "a$b" == setting("TOOLBRIDGE_JWT_SECRET")
    assert None is setting("TOOLBRIDGE_TOKENS_FILE")


def test_blanks_around_a_secret_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pasted line break is found here instead of as a wrong signature later."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", f"{KEY}\n")

    with pytest.raises(UsageProblem, match="TOOLBRIDGE_JWT_SECRET has blanks") as refusal:
        setting("TOOLBRIDGE_JWT_SECRET")
    assert KEY not in refusal.value.message


def test_tokens_come_from_nowhere_without_settings() -> None:
    """Without a key or a file there are no tokens, and nothing pretends otherwise."""
    assert NoTokens() == token_source(None)


def test_tokens_are_minted_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """With key and tenant, any token can be made."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", KEY)

    assert {Vantage.TOKENS, Vantage.MINT} == token_source("t1").vantages


def test_a_key_without_a_tenant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens without a tenant would all be refused by the target."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", KEY)

    with pytest.raises(UsageProblem, match="TOOLBRIDGE_TENANT_ID is not"):
        token_source(None)


def _tokens_file(path: Path, **content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_ready_tokens_are_used_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two users take turns; the foreign one is kept apart; nothing can be minted."""
    users = [mint(name, "t1", KEY) for name in ("a", "b")]
    foreign = mint("a", "t2", KEY)
    path = _tokens_file(tmp_path / "tokens.json", users=users, foreign_tenant=foreign)
    monkeypatch.setenv("TOOLBRIDGE_TOKENS_FILE", str(path))

    source = token_source("t1")

    identities = [source.identity("anybody") for _ in range(3)]
    assert ["b", "a", "b"] == [i[0] for i in identities if i is not None]
    assert ("a", users[0]) == source.identity("anybody", unlike="b")
    assert foreign == source.foreign("a", "whatever")
    assert frozenset({Vantage.TOKENS}) == source.vantages


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"users": []}, "at least two"),
        ({"users": ["x", "y"]}, "at least two"),
        ({"users": [mint("a", "t", KEY), mint("a", "t", KEY)]}, "two different users"),
        (
            {"users": [mint("a", "t", KEY, lifetime=1), mint("b", "t", KEY)]},
            "expires within a minute",
        ),
        ({"users": [mint("a", "t", KEY), mint("b", "t", KEY)], "foreign_tenant": 5}, "not a token"),
    ],
)
def test_a_bad_tokens_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: dict[str, object], problem: str
) -> None:
    """Each mistake is named, and no token is shown."""
    path = _tokens_file(tmp_path / "tokens.json", **content)
    monkeypatch.setenv("TOOLBRIDGE_TOKENS_FILE", str(path))

    with pytest.raises(UsageProblem, match=problem) as refusal:
        token_source("t1")
    assert "eyJ" not in refusal.value.message


def test_an_environment_is_read(tmp_path: Path) -> None:
    """Everything of [env.NAME] is there, the baseline relative to the file."""
    path = tmp_path / "toolbridge.toml"
    path.write_text(
        '[env.staging]\nurl = "https://s.test"\ntenant_id = "t1"\nprofile = "smoke"\n'
        'baseline = "known.toml"\nrequire = ["tokens"]\n'
    )
    found = read_environment("staging", path)

    assert ("https://s.test", "t1", "smoke") == (found.url, found.tenant_id, found.profile)
    assert (tmp_path / "known.toml", ("tokens",)) == (found.baseline, found.require)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[env.other]", r"no \[env.staging\] \(there is: other\)"),
        ("[env.staging]\nurll = 'x'", "unknown key 'urll'"),
        ("[env.staging]\nurl = 5", "url of .* is a string"),
        ("[env.staging]\nrequire = 'tokens'", "list of strings"),
        ("[[env", "not TOML"),
        ("env = 5", r"no \[env.staging\]"),
    ],
)
def test_a_bad_environment_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """Each mistake in toolbridge.toml names file and key."""
    path = tmp_path / "toolbridge.toml"
    path.write_text(text)

    with pytest.raises(UsageProblem, match=problem):
        read_environment("staging", path)
