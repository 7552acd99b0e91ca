"""Configuration: what is refused at the start, and how that is said."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from toolbridge_proxy.settings import Settings, SettingsError, load

GOOD = {
    "TOOLBRIDGE_GO_API_BASE_URL": "https://api.example",
    "TOOLBRIDGE_TENANT_ID": "tenant-a",
    "TOOLBRIDGE_TENANT_HEADER_SECRET": "canary-tenant-secret-with-32-bytes-or-more",
}
CANARY = "canary"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the required variables are set."""
    for name in [name for name in os.environ if name.startswith("TOOLBRIDGE_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def problem(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> str:
    """Return the line that `changes` produce."""
    for name, value in changes.items():
        if value is None:
            monkeypatch.delenv(f"TOOLBRIDGE_{name}")
        else:
            monkeypatch.setenv(f"TOOLBRIDGE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load()
    return str(caught.value)


def test_the_three_required_variables_are_enough() -> None:
    """Everything else has the documented default."""
    settings = load()
    assert (settings.host, settings.port, settings.metrics_port) == ("0.0.0.0", 8001, 9091)
    assert (settings.log_level, settings.log_format) == ("INFO", "json")
    assert (settings.upstream_timeout_seconds, settings.jwks_refresh_seconds) == (25, 300)
    unset = (settings.jwt_secret, settings.jwt_jwks_url, settings.public_url)
    assert unset == (None, None, None)


BAD: list[tuple[str, str | None]] = [
    *((name, None) for name in ("GO_API_BASE_URL", "TENANT_ID", "TENANT_HEADER_SECRET")),
    *(
        (name, value)
        for name in (
            "GO_API_BASE_URL", "TENANT_ID", "TENANT_HEADER_SECRET", "JWT_SECRET", "JWT_ISSUER",
            "JWT_AUDIENCE", "JWT_JWKS_URL", "PUBLIC_URL", "HOST",
        )
        for value in ("", " ", " canary", "canary ", "canary\n", "<canary>")
    ),
    *(
        ("TENANT_ID", value)
        for value in ("canary\r\nX: 1", "canary é", "can ary", "canary" * 30, "canary\x7f")
    ),
    *(
        (name, value)
        for name in ("GO_API_BASE_URL", "JWT_JWKS_URL", "PUBLIC_URL")
        for value in (
            "canary", "ftp://canary.example", "https://", "https://user:canary@api.example",
            "https://api.example?canary", "https://api.example#canary", "https://api:canary",
            "https://api.example:99999", "https://[canary]", "https://canary é.example",
        )
    ),
    *(
        (name, url)
        for name in ("GO_API_BASE_URL", "JWT_JWKS_URL")
        for url in ("http://canary.example", "http://8.8.8.8/canary", "http://CANARY.example:80")
    ),
    ("JWT_SECRET", "canary-that-is-too-short"),
    ("JWT_ALLOW_BOTH", "canary"),
    ("PORT", "canary"),
    ("PORT", "70000"),
    ("PORT", "-1"),
    ("METRICS_PORT", "canary"),
    ("ALLOWED_HOSTS", "a,,canary"),
    ("ALLOWED_ORIGINS", ""),
    ("LOG_LEVEL", "canary"),
    ("LOG_FORMAT", "canary"),
    *(("UPSTREAM_TIMEOUT_SECONDS", value) for value in ("canary", "0", "-1", "nan", "inf", "301")),
    ("UPSTREAM_CA_FILE", "/no/such/canary"),
    ("JWKS_REFRESH_SECONDS", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD, ids=repr)
def test_a_bad_value_is_one_line_with_the_name_and_without_the_value(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named; neither its value nor any secret is shown."""
    line = problem(monkeypatch, **{name: value})
    assert f"TOOLBRIDGE_{name}: " in line
    assert "\n" not in line
    assert CANARY not in line


def test_the_librarys_own_error_shows_no_value_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prints the ValidationError prints no secret."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", "canary-too-short")
    with pytest.raises(ValidationError) as caught:
        Settings()  # type: ignore[call-arg] # the environment has them
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_every_bad_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start tells everything that is wrong."""
    line = problem(monkeypatch, TENANT_ID=None, PORT="x", JWT_SECRET="short")
    assert [name in line for name in ("TENANT_ID", "PORT", "JWT_SECRET")] == [True] * 3


@pytest.mark.parametrize("missing", ["JWT_ISSUER", "JWT_AUDIENCE"])
def test_a_key_set_needs_issuer_and_audience(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else any token of that issuer, for any service, would do."""
    both = {"JWT_ISSUER": "https://i.example", "JWT_AUDIENCE": "a"}
    del both[missing]
    line = problem(monkeypatch, JWT_JWKS_URL="https://i.example/jwks", **both)
    assert "TOOLBRIDGE_JWT_JWKS_URL: needs TOOLBRIDGE_JWT_ISSUER" in line


def test_a_ca_file_must_hold_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of something else stops the start, not the first request."""
    wrong = tmp_path / "ca.pem"
    wrong.write_text("canary")
    line = problem(monkeypatch, UPSTREAM_CA_FILE=str(wrong))
    assert line.startswith("TOOLBRIDGE_UPSTREAM_CA_FILE: is not a readable PEM file")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8081", "http://127.0.0.1:8081", "http://10.1.2.3", "http://[::1]:8081",
        "http://api", "http://api.internal:8081", "http://api.default.svc", "http://x.flycast",
        "http://api.default.svc.cluster.local:8081", "http://192.168.1.2", "https://8.8.8.8",
        "https://API.example:443/prefix/",
    ],
)  # fmt: skip
def test_plain_http_is_fine_where_no_public_name_is(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters, Fly's private network and loopback need no TLS."""
    monkeypatch.setenv("TOOLBRIDGE_GO_API_BASE_URL", url)
    assert url.rstrip("/") == load().go_api_base_url


def test_the_values_are_read_as_they_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are comma-separated, levels any case, an empty metrics port switches it off."""
    values = {
        "ALLOWED_HOSTS": "a.example, b.example", "LOG_LEVEL": "debug", "METRICS_PORT": "",
        "TENANT_HEADER_SECRET": '"quoted +/= inside"', "TENANT_ID": 'a:1%/,"',
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"TOOLBRIDGE_{name}", value)
    settings = load()
    assert (("a.example", "b.example"), "DEBUG", None) == (
        settings.allowed_hosts,
        settings.log_level,
        settings.metrics_port,
    )
    assert settings.tenant_header_secret.get_secret_value() == '"quoted +/= inside"'
    assert settings.tenant_id == 'a:1%/,"'


def test_printing_the_settings_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """repr, str and model_dump are safe to log."""
    monkeypatch.setenv("TOOLBRIDGE_JWT_SECRET", "canary-jwt-secret-with-32-bytes-or-more")
    settings = load()
    assert CANARY not in repr(settings) + str(settings) + str(settings.model_dump())
