"""Users are distinct callers with valid tokens, or the engineer is told what to set."""

import json
import time
from pathlib import Path

import jwt
import pytest

from toolbridge_loadtests.callers import ConfigurationError, MintedCaller, from_environment

SECRET = "a-secret-of-at-least-thirty-two-bytes"
MINTING = {"TOOLBRIDGE_JWT_SECRET": SECRET, "TOOLBRIDGE_TENANT_ID": "acme"}


def claims(token: str) -> dict[str, object]:
    decoded: dict[str, object] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_aud": False}
    )
    return decoded


def test_every_user_is_a_caller_of_its_own() -> None:
    """In every worker, and the same ones in the next run."""
    callers = [from_environment(MINTING, worker).caller(n) for worker in (0, 1) for n in (0, 1)]

    assert [f"toolbridge-load-{pair}" for pair in ("0-0", "0-1", "1-0", "1-1")] == [
        claims(caller.token())["sub"] for caller in callers
    ]


def test_a_minted_token_names_the_tenant() -> None:
    """And issuer and audience when the proxy is told to check them."""
    settings = {"TOOLBRIDGE_JWT_ISSUER": "me", "TOOLBRIDGE_JWT_AUDIENCE": "you"}

    plain = claims(from_environment(MINTING).caller(0).token())
    checked = claims(from_environment(MINTING | settings).caller(0).token())

    assert (plain["tenant_id"], plain.get("iss"), plain.get("aud")) == ("acme", None, None)
    assert (checked["iss"], checked["aud"]) == ("me", "you")


def test_a_token_is_kept_until_it_is_about_to_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of hours goes on with new tokens."""
    now = time.time()
    caller = MintedCaller("a", "acme", SECRET, lifetime=3600, margin=300)

    tokens = []
    for seconds in (0, 3299, 3301):
        monkeypatch.setattr(time, "time", lambda later=seconds: now + later)
        tokens.append(caller.token())

    assert tokens[0] == tokens[1] != tokens[2]


def test_given_tokens_are_taken_in_turn(tmp_path: Path) -> None:
    """Users share when there are more of them; a token listed twice counts once."""
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"users": ["a.b.c", "d.e.f", "a.b.c"]}))
    source = from_environment({"TOOLBRIDGE_TOKENS_FILE": str(path)})

    assert source.limit == 2
    assert [source.caller(n).token() for n in range(3)] == ["a.b.c", "d.e.f", "a.b.c"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "TOOLBRIDGE_JWT_SECRET and TOOLBRIDGE_TENANT_ID not set"),
        ({"TOOLBRIDGE_TENANT_ID": "acme"}, "TOOLBRIDGE_JWT_SECRET not set"),
        ({"TOOLBRIDGE_JWT_SECRET": SECRET}, "TOOLBRIDGE_TENANT_ID not set"),
        ({"TOOLBRIDGE_JWT_SECRET": ""}, "TOOLBRIDGE_JWT_SECRET and"),
    ],
)
def test_what_is_not_set_is_named(settings: dict[str, str], named: str) -> None:
    """In one line, without the secret that is set."""
    with pytest.raises(ConfigurationError) as caught:
        from_environment(settings)

    assert str(caught.value).startswith(named)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "not JSON"),
        ("[]", '"users" must be a list of tokens'),
        ('{"users": []}', '"users" must be a list of tokens'),
        ('{"users": ["secret-but-no-token"]}', '"users" must be a list of tokens'),
        ('{"users": [7]}', '"users" must be a list of tokens'),
    ],
)
def test_a_bad_tokens_file_is_refused(tmp_path: Path, content: str | None, problem: str) -> None:
    """With the path and what is wrong, never with what it holds."""
    path = tmp_path / "tokens.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        from_environment({"TOOLBRIDGE_TOKENS_FILE": str(path)})

    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "secret-but-no-token" not in str(caught.value)


def test_a_caller_never_shows_its_secrets() -> None:
    """Not even in a traceback."""
    source = from_environment(MINTING)
    caller = source.caller(0)

    assert caller.token() not in repr(caller)
    assert SECRET not in f"{source!r} {caller!r}"
