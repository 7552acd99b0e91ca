"""`toolbridge verify --url` against a running deployment."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import read_json, toolbridge
from support.contract_caller import JWT_SECRET, TENANT
from support.contract_server import served_mock
from support.e2e_proxies import running_proxy
from support.running_stack import running_stack
from toolbridge_contract.tokens import mint
from toolbridge_harness.processes import free_port
from toolbridge_harness.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Mock and proxy, up for all tests of this module."""
    with running_stack() as running:
        yield running


def test_without_secrets_the_smoke_profile_is_green(stack: Stack) -> None:
    """What needs no secret passes, and nothing else is claimed."""
    done = toolbridge("verify", "--url", stack.proxy_url, "--profile", "smoke")

    assert (0, f"GREEN {stack.proxy_url}") == (done.code, done.first_line)
    assert 0 == done.count("did not apply")


def test_without_secrets_the_gate_is_red_and_says_what_would_enable_it(stack: Stack) -> None:
    """A mistyped secret must not turn a gate green: the variables are named."""
    done = toolbridge("verify", "--url", stack.proxy_url)

    assert 1 == done.code
    assert done.first_line.startswith("RED the vantage tokens is required but missing")
    assert "TOOLBRIDGE_JWT_SECRET" in done.out.partition("Not verified")[2]
    assert "--launch" in done.out.partition("Not verified")[2]
    assert 0 == done.count("failed") + done.count("could not be tested")
    assert done.count("passed") >= 8


def test_the_reader_may_ask_for_less(stack: Stack) -> None:
    """With --require outside, the same run is green, and still lists what was not verified."""
    done = toolbridge("verify", "--url", stack.proxy_url, "--require", "outside")

    assert 0 == done.code
    assert done.count("did not apply") > 0


def test_with_the_key_the_gate_is_green(stack: Stack) -> None:
    """With key and tenant, everything but the upstream's side is verified."""
    done = toolbridge(
        "verify",
        "--url",
        stack.proxy_url,
        TOOLBRIDGE_JWT_SECRET=stack.jwt_secret,
        TOOLBRIDGE_TENANT_ID=stack.tenant_id,
    )

    assert (0, f"GREEN {stack.proxy_url}") == (done.code, done.first_line)
    assert "needs upstream" in done.out


def test_with_the_wrong_key_the_gate_is_red(stack: Stack, tmp_path: Path) -> None:
    """A mistyped key fails the control, which is named as the cause of all that needs a token."""
    report = tmp_path / "run.json"
    done = toolbridge(
        *("verify", "--url", stack.proxy_url, "--report", f"json:{report}"),
        *("--only", "control", "--only", "isolation", "--only", "tenant", "--only", "tools-note*"),
        TOOLBRIDGE_JWT_SECRET="not-the-key-of-this-target-but-long",
        TOOLBRIDGE_TENANT_ID=stack.tenant_id,
    )

    causes = read_json(report)["causes"]
    assert 1 == done.code
    assert "control-token" == causes[0]["id"]
    assert {"isolation-foreign-uid", "tenant-wrong", "tools-note-life-cycle"} <= set(
        causes[0]["explains"]
    )


def test_ready_tokens_are_enough_for_a_gate(tmp_path: Path) -> None:
    """Where the key stays with its issuer, two users and a foreign tenant will do."""
    users = [mint(name, TENANT, JWT_SECRET) for name in ("anna", "bert")]
    foreign = mint("anna", "other-tenant", JWT_SECRET)
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"users": users, "foreign_tenant": foreign}))

    # Two users' 20 requests a second would take a minute and a half for a gate.
    with served_mock("--no-rate-limit") as mock, running_proxy(mock.url) as proxy:
        done = toolbridge(
            *("verify", "--url", proxy.url),
            TOOLBRIDGE_TOKENS_FILE=str(path),
            TOOLBRIDGE_TENANT_ID=TENANT,
        )

    assert (0, f"GREEN {proxy.url}") == (done.code, done.first_line)
    assert "needs mint" in done.out


def test_nothing_there_is_said_in_the_first_line() -> None:
    """A dead URL is red at once."""
    done = toolbridge("verify", "--url", f"http://127.0.0.1:{free_port()}")

    assert 1 == done.code
    assert done.first_line.startswith("RED the target cannot be reached")


def test_a_wrong_path_is_said_in_the_first_line(stack: Stack) -> None:
    """A URL that misses the endpoint is told from a broken proxy."""
    done = toolbridge("verify", "--url", f"{stack.proxy_url}/wrong")

    assert 1 == done.code
    assert done.first_line.startswith("RED the target answers 404 to everything")


def test_an_environment_names_the_target(stack: Stack, tmp_path: Path) -> None:
    """--env takes URL, tenant and profile from toolbridge.toml."""
    (tmp_path / "toolbridge.toml").write_text(
        f'[env.local]\nurl = "{stack.proxy_url}"\ntenant_id = "{stack.tenant_id}"\n'
        'profile = "smoke"\n'
    )
    done = toolbridge("verify", "--env", "local", cwd=tmp_path)

    assert (0, f"GREEN {stack.proxy_url}") == (done.code, done.first_line)


def test_nothing_ran_is_not_success(stack: Stack) -> None:
    """A selection of which nothing applies ends with 5."""
    done = toolbridge(
        "verify", "--url", stack.proxy_url, "--only", "signing", "--require", "outside"
    )

    assert (5, "NOTHING RAN") == (done.code, done.first_line[:11])
