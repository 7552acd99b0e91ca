"""The image and Fly.io's file, by the rules that a deployment depends on."""

import json
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from toolbridge_proxy.settings import Settings

ROOT = Path(__file__).parents[1]
# The keys of fly.toml that flyctl knows, in the sections used here. `fly config validate` lets
# unknown ones pass, so a typo would switch a rule off in silence.
FLY_KEYS = {
    "": "app primary_region kill_signal kill_timeout build env http_service deploy vm metrics",
    "build": "dockerfile ignorefile args",
    "http_service": "internal_port force_https auto_stop_machines auto_start_machines "
    "min_machines_running concurrency checks",
    "http_service.concurrency": "type soft_limit hard_limit",
    "http_service.checks": "grace_period interval timeout method path headers",
    "deploy": "strategy max_unavailable wait_timeout",
    "vm": "size memory",
    "metrics": "port path",
}


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture(scope="module")
def fly() -> dict[str, Any]:
    return tomllib.loads(read("fly.staging.toml"))


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile in order, continuation lines joined."""
    lines = [line for line in read("Dockerfile.mcp-only").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]  # type: ignore[misc]


def instructions(dockerfile: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for word, rest in dockerfile if word == name]


def seconds(duration: str) -> float:
    """A Go duration of one unit, as fly.staging.toml writes them."""
    number, unit = re.fullmatch(r"(\d+)([sm])", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


# --- fly.staging.toml


def test_fly_declares_one_public_service_on_the_proxys_port(fly: dict[str, Any]) -> None:
    """Only [http_service], on 8001: of two services for one port only one would get traffic."""
    assert "services" not in fly
    assert isinstance(fly["http_service"], dict)
    assert fly["http_service"]["internal_port"] == 8001
    assert fly["env"]["TOOLBRIDGE_PORT"] == "8001"


def test_fly_forces_https(fly: dict[str, Any]) -> None:
    """A token never travels in clear text."""
    assert fly["http_service"]["force_https"] is True


def test_fly_checks_a_route_that_needs_no_token(fly: dict[str, Any]) -> None:
    """Checks are an array table with quoted durations; a number would mean nanoseconds."""
    (check,) = fly["http_service"]["checks"]

    assert check["method"] == "GET"
    assert check["path"] in {"/readyz", "/healthz"}
    assert "headers" not in check
    for name in ("interval", "timeout", "grace_period"):
        # flyctl clamps these to one second and one minute.
        assert 1 <= seconds(check[name]) <= 60
    assert seconds(check["timeout"]) < seconds(check["interval"])


def test_fly_lets_the_longest_call_end_before_it_kills(fly: dict[str, Any]) -> None:
    """kill_timeout is above the deadline of a tool call, within Fly.io's 300 s, after SIGTERM."""
    deadline = Settings.model_fields["upstream_timeout_seconds"].default

    assert fly["kill_signal"] == "SIGTERM"
    assert deadline < seconds(fly["kill_timeout"]) <= 300


def test_fly_never_stops_machines_and_limits_requests(fly: dict[str, Any]) -> None:
    """A cold start would cost the p95; load moves to another machine before the hard limit."""
    service = fly["http_service"]

    assert service["auto_stop_machines"] == "off"
    assert service["auto_start_machines"] is True
    assert service["min_machines_running"] >= 1
    assert service["concurrency"]["type"] == "requests"
    assert 0 < service["concurrency"]["soft_limit"] < service["concurrency"]["hard_limit"]


def test_fly_keeps_metrics_off_the_public_port(fly: dict[str, Any]) -> None:
    """Metrics have the proxy's metrics port, which is no service's."""
    assert fly["metrics"] == {"port": 9091, "path": "/metrics"}
    assert fly["env"]["TOOLBRIDGE_METRICS_PORT"] == "9091"
    assert fly["metrics"]["port"] != fly["http_service"]["internal_port"]


def test_fly_env_holds_known_settings_and_nothing_secret(fly: dict[str, Any]) -> None:
    """[env] has strings under known names; addresses, tenants and keys are `fly secrets`."""
    names = set(fly["env"])

    assert names < {f"TOOLBRIDGE_{name.upper()}" for name in Settings.model_fields}
    assert all(isinstance(value, str) for value in fly["env"].values())
    assert not any(re.search("URL|TENANT|SECRET|JWT|CA_FILE", name) for name in names)
    assert not any(name.startswith("FLY_") for name in names)
    assert not any("://" in value for value in fly["env"].values())


def test_fly_names_the_app_and_no_host(fly: dict[str, Any]) -> None:
    """The staging app, built from the image's file, deployed only when its checks pass."""
    assert fly["app"] == "toolbridge-mcp-staging"
    assert fly["build"]["dockerfile"] == "Dockerfile.mcp-only"
    assert (ROOT / fly["build"]["ignorefile"]).is_file()
    assert fly["deploy"]["strategy"] == "bluegreen"
    assert not re.search(r"https?://|\.(?:dev|com|net|io)\b(?!:)", _without_comments())


def _without_comments() -> str:
    lines = read("fly.staging.toml").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def test_fly_has_no_key_that_flyctl_would_ignore(fly: dict[str, Any]) -> None:
    """Every key is one that flyctl reads, spelled right."""
    for section, known in FLY_KEYS.items():
        table: Any = fly
        for part in section.split(".") if section else []:
            table = table[part]
        for entry in table if isinstance(table, list) else [table]:
            assert set(entry) <= set(known.split()), section


# --- Dockerfile.mcp-only


def test_image_has_a_pinned_slim_python(dockerfile: list[tuple[str, str]]) -> None:
    """One stage, from a slim image with a pinned minor version that the project supports."""
    (base,) = instructions(dockerfile, "FROM")

    assert re.fullmatch(r"python:3\.1[23]-slim-[a-z]+", base)


def test_image_copies_the_proxy_and_its_pins_alone(dockerfile: list[tuple[str, str]]) -> None:
    """The harness can mint tokens and stays out; so does everything else."""
    sources = [shlex.split(rest)[:-1] for rest in instructions(dockerfile, "COPY")]

    assert sources == [["requirements/proxy.txt"], ["proxy/toolbridge_proxy"]]
    assert instructions(dockerfile, "ADD") == []


def test_image_does_not_run_as_root(dockerfile: list[tuple[str, str]]) -> None:
    """The last USER is a number above the system's, before the command."""
    (user,) = instructions(dockerfile, "USER")

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    order = [word for word, _ in dockerfile]
    assert order.index("USER") > max(i for i, word in enumerate(order) if word in {"RUN", "COPY"})


def test_image_hands_sigterm_to_python(dockerfile: list[tuple[str, str]]) -> None:
    """The command is in exec form and there is no shell in front of it."""
    (command,) = instructions(dockerfile, "CMD")

    assert json.loads(command) == ["python", "-m", "toolbridge_proxy"]
    assert instructions(dockerfile, "ENTRYPOINT") == []
    assert instructions(dockerfile, "STOPSIGNAL") == []


def test_image_shows_its_port_and_not_the_metrics(dockerfile: list[tuple[str, str]]) -> None:
    """`docker run -P` publishes 8001 alone."""
    assert instructions(dockerfile, "EXPOSE") == ["8001"]


def test_image_sets_no_setting_and_no_secret(dockerfile: list[tuple[str, str]]) -> None:
    """ENV and ARG are about Python and labels; every setting comes from the outside."""
    words = " ".join(instructions(dockerfile, "ENV") + instructions(dockerfile, "ARG"))
    names = re.findall(r"([A-Z_]+)=", words)

    assert names == [
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "REVISION",
        "VERSION",
    ]


def test_image_installs_pinned_wheels_with_hashes(dockerfile: list[tuple[str, str]]) -> None:
    """Nothing that is not in the pins, and no source package, gets into the image."""
    (install,) = [run for run in instructions(dockerfile, "RUN") if "pip install" in run]

    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir"):
        assert option in install
    assert "pip check" in install


def test_image_says_which_revision_it_is(dockerfile: list[tuple[str, str]]) -> None:
    """The build argument becomes the standard label, and the version is the project's."""
    label = " ".join(instructions(dockerfile, "LABEL"))
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]

    assert 'org.opencontainers.image.revision="${REVISION}"' in label
    assert f"VERSION={version}" in instructions(dockerfile, "ARG")


@pytest.fixture
def health_check(dockerfile: list[tuple[str, str]]) -> list[str]:
    (rest,) = [rest for word, rest in dockerfile if word == "HEALTHCHECK"]
    command: list[str] = json.loads(rest.partition("CMD ")[2])
    return command


@pytest.fixture
def answering() -> Iterator[Callable[[int], int]]:
    """Start loopback servers that answer GET /healthz with a status, anything else with 500."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/healthz" else 500)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def health(command: list[str], port: int) -> int:
    # A proxy that refuses: the check must not go through it.
    environment = {"TOOLBRIDGE_PORT": str(port), "HTTP_PROXY": "http://127.0.0.1:9"}
    words = [sys.executable, *command[1:]]
    return subprocess.run(words, env=environment, capture_output=True, timeout=30).returncode


def test_image_is_healthy_exactly_when_healthz_answers_200(
    health_check: list[str], answering: Callable[[int], int]
) -> None:
    """Docker's check runs without curl, on the configured port, and believes 200 alone."""
    assert health_check[:2] == ["python", "-c"]
    assert health(health_check, answering(200)) == 0
    assert health(health_check, answering(503)) == 1


def test_image_is_unhealthy_when_nothing_listens(health_check: list[str]) -> None:
    """A refused connection is not healthy."""
    with socket.socket() as bound_and_not_listening:
        bound_and_not_listening.bind(("127.0.0.1", 0))

        assert health(health_check, bound_and_not_listening.getsockname()[1]) == 1


def test_build_context_is_an_allow_list() -> None:
    """Everything is shut out first; only what the image copies comes back in."""
    lines = [line for line in read(".dockerignore").splitlines() if line and line[0] != "#"]

    assert lines[0] == "*"
    assert [line for line in lines if line[0] == "!"] == [
        "!requirements/proxy.txt",
        "!proxy/toolbridge_proxy",
    ]
