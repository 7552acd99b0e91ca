"""`toolbridge doctor` on deployments with one thing wrong: that cause, and no other."""

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.contract_caller import JWT_SECRET, TENANT
from support.contract_server import ServedMock, fresh_subject, served_mock
from support.contract_threaded import threaded_mock
from support.diagnose_runs import command, token
from support.doctor_runs import (
    OTHER_SECRET,
    Deployment,
    control,
    deployed,
    fault,
    judged,
    stripping_ingress,
)
from support.round_robin import round_robin
from toolbridge_contract.control import Fault
from toolbridge_contract.mock import api
from toolbridge_contract.tokens import mint

pytestmark = pytest.mark.e2e

OBSERVED, MOST_LIKELY, INFERRED = (True, False), (False, False), (True, True)
INFERRED_AMBIGUOUS = (False, True)


@pytest.fixture(scope="module")
def mock() -> Iterator[ServedMock]:
    """The mock Go API as a process."""
    with served_mock() as served:
        yield served


@pytest.fixture(scope="module")
def sound(mock: ServedMock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment with nothing wrong, for faults that are not the proxy's."""
    with deployed(mock.url, tmp_path_factory.mktemp("doctor")) as deployment:
        yield deployment


def fingerprint(deployment: Deployment) -> str:
    """The fingerprint that diagnose shows for the proxy's tenant secret."""
    found = command(b"", True, **deployment.settings).found
    return str(found["settings"]["TOOLBRIDGE_TENANT_HEADER_SECRET"]["fingerprint"])


def test_a_sound_deployment_has_nothing(sound: Deployment) -> None:
    """From outside, from inside and with the canary: exit code 0 and every probe ok."""
    seen = sound.inside("--canary", "--api-fingerprint", fingerprint(sound))

    assert (None, None, []) == (seen["cause"], seen["at"], seen["missing"])
    assert {"ok"} == {probe["verdict"] for probe in seen["probes"]}
    names = {probe["name"] for probe in seen["probes"]}
    assert {"resolve", "edge", "garbage", "local_time", "window", "repeat", "canary"} <= names
    assert judged(seen)[0] == judged(sound.outside())[0]


def test_without_a_token_there_is_no_verdict(sound: Deployment) -> None:
    """Nothing wrong was seen, and most was not looked at: exit code 1 says so."""
    done = sound.run()

    assert 1 == done.code
    assert done.first_line.startswith("NO VERDICT")
    assert "give a token" in done.first_line


def test_the_wrong_tenant_secret(mock: ServedMock, tmp_path: Path) -> None:
    """Inside it is told from the clock, by fingerprint from the ingress; outside from neither."""
    with deployed(mock.url, tmp_path, tenant_header_secret=OTHER_SECRET) as broken:
        compared = broken.inside("--api-fingerprint", "00000000")
        inside, outside = broken.inside(), broken.outside()

    assert ("tenant_secret", *OBSERVED) == judged(compared)
    assert ("tenant_secret", *MOST_LIKELY) == judged(inside)
    assert ("tenant_headers", *INFERRED_AMBIGUOUS) == judged(outside)


@pytest.mark.parametrize("seconds", [600.0, -600.0])
def test_a_skewed_clock(sound: Deployment, mock: ServedMock, seconds: float) -> None:
    """Signed at the Go API's time it works: the clock, and not the secret."""
    control(mock, "set_clock_offset", seconds=seconds)
    try:
        inside, outside = sound.inside(), sound.outside()
    finally:
        control(mock, "set_clock_offset", seconds=0)

    assert ("clock_skew", *OBSERVED) == judged(inside)
    shown = next(probe for probe in inside["probes"] if probe["name"] == "local_time")
    measured = re.search(r"clock skew (\S+) ±", shown["got"])
    assert measured is not None
    assert seconds == pytest.approx(float(measured[1]), abs=5)
    assert ("tenant_headers", *INFERRED_AMBIGUOUS) == judged(outside)


@pytest.mark.parametrize("value", [" tenant-a", "tenant-a\n"])
def test_whitespace_in_the_tenant_id(mock: ServedMock, tmp_path: Path, value: str) -> None:
    """The proxy refuses to start, so the refused connection is not the cause."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    settings = {"go_api_base_url": mock.url, "tenant_id": value}
    seen = Deployment(url, settings, tmp_path).inside()

    assert ("config_blank", *OBSERVED) == judged(seen)
    assert "TOOLBRIDGE_TENANT_ID" in next(p["got"] for p in seen["probes"] if p["name"] == "config")
    verdicts = {probe["name"]: probe["verdict"] for probe in seen["probes"]}
    assert ("ok", "root cause") == (verdicts["resolve"], verdicts["config"])
    assert "not evaluated" == verdicts["connect"]


def test_the_wrong_jwt_secret_in_the_proxy(mock: ServedMock, tmp_path: Path) -> None:
    """The Go API takes the token from inside, the proxy does not."""
    with deployed(mock.url, tmp_path, jwt_secret=OTHER_SECRET) as broken:
        inside, outside = broken.inside(), broken.outside()

    assert ("proxy_jwt_key", *OBSERVED) == judged(inside)
    assert ("proxy_jwt_key", *MOST_LIKELY) == judged(outside)


def test_the_wrong_jwt_secret_in_the_go_api(mock: ServedMock, tmp_path: Path) -> None:
    """The proxy takes the token, the Go API's JWT gate does not."""
    with deployed(mock.url, tmp_path, jwt_secret=OTHER_SECRET) as broken:
        inside, outside = broken.inside(jwt=OTHER_SECRET), broken.outside(jwt=OTHER_SECRET)

    assert ("api_jwt_key", *OBSERVED) == judged(inside)
    assert ("api_jwt_key", *INFERRED) == judged(outside)


def test_a_token_that_nobody_accepts(sound: Deployment) -> None:
    """Proxy and Go API agree, and the token is of a third key."""
    assert ("jwt_key_both", *OBSERVED) == judged(sound.inside(jwt=OTHER_SECRET))


def test_a_token_for_diagnose_that_is_not_accepted(mock: ServedMock, tmp_path: Path) -> None:
    """What it saw with that token is set aside; the caller's own call names the cause."""
    with deployed(mock.url, tmp_path, tenant_header_secret=OTHER_SECRET) as broken:
        path = broken.document(token("a-third-key-of-more-than-32-bytes"))
        seen = broken.outside("--diagnose", str(path))

    assert ("tenant_secret", *MOST_LIKELY) == judged(seen)


def test_one_bad_token_beside_good_ones(sound: Deployment) -> None:
    """A minted token works: the given one is at fault."""
    seen = sound.outside(TOOLBRIDGE_TOKEN=token(OTHER_SECRET))

    assert ("token_refused", *OBSERVED) == judged(seen)


def test_an_expired_token(sound: Deployment) -> None:
    """It is decoded here and not sent."""
    seen = sound.outside(TOOLBRIDGE_TOKEN=token(exp=1))

    assert ("token_expired", *OBSERVED) == judged(seen)
    assert "admitted" not in {probe["name"] for probe in seen["probes"]}


def test_a_token_of_another_tenant(sound: Deployment) -> None:
    """Seen before anything is sent where the inside names the tenant, and by the 403 without."""
    foreign = mint("anna", "Tenant-A", JWT_SECRET)
    inside, outside = (ask(TOOLBRIDGE_TOKEN=foreign) for ask in (sound.inside, sound.outside))

    assert ("tenant_mismatch", *OBSERVED) == judged(inside) == judged(outside)
    assert ("token", "admitted") == (inside["at"], outside["at"])
    shown = next(probe for probe in outside["probes"] if probe["name"] == "token")
    assert "'Tenant-A' (8 characters)" in shown["got"]
    assert repr(TENANT) in shown["expected"]


def test_an_upstream_that_is_down(tmp_path: Path) -> None:
    """Nothing listens where the base URL leads."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with deployed(url, tmp_path) as broken:
        inside, outside = broken.inside(), broken.outside()

    assert ("api_unreachable", *OBSERVED) == judged(inside)
    assert ("api_unreachable", *INFERRED) == judged(outside)


def test_an_upstream_whose_name_does_not_resolve(tmp_path: Path) -> None:
    """RFC 6761 keeps .invalid without addresses."""
    with deployed("https://go-api.invalid", tmp_path) as broken:
        inside, outside = broken.inside(), broken.outside()

    assert ("api_dns", *OBSERVED) == judged(inside)
    assert ("api_dns", *INFERRED) == judged(outside)


def test_an_upstream_with_an_unknown_authority(tmp_path: Path) -> None:
    """Its certificate verifies under an authority that the proxy was not given."""
    with threaded_mock(tmp_path) as url, deployed(url, tmp_path) as broken:
        inside, outside = broken.inside(), broken.outside()

    assert ("api_tls", *OBSERVED) == judged(inside)
    assert ("api_tls", *INFERRED) == judged(outside)


def test_a_user_over_the_rate_limit(sound: Deployment, mock: ServedMock) -> None:
    """Another user is not limited: this one is, whatever the inside says."""
    subject = fresh_subject()
    limited = Fault(subject, path="/v1/notes", status=429, headers=(("Retry-After", "1"),))
    with fault(mock, limited):
        mine = token(subject=subject)
        inside, outside = (ask(TOOLBRIDGE_TOKEN=mine) for ask in (sound.inside, sound.outside))

    assert ("rate_limited", *OBSERVED) == judged(inside) == judged(outside)


def test_all_users_over_the_rate_limit(sound: Deployment, mock: ServedMock) -> None:
    """Two users that never met are limited together: one identity."""
    with fault(mock, Fault(path="/v1/notes", status=429, headers=(("Retry-After", "1"),))):
        seen = sound.outside()

    assert ("rate_shared", *OBSERVED) == judged(seen)


async def test_replicas_with_session_stores_of_their_own(tmp_path: Path) -> None:
    """A session is made at one and looked for at the other."""
    with served_mock() as first, served_mock() as second:
        async with round_robin([first.address[1], second.address[1]]) as front:
            with deployed(front.url, tmp_path) as broken:
                inside = await asyncio.to_thread(broken.inside)
                outside = await asyncio.to_thread(broken.outside)

    assert ("sync_session", *INFERRED) == judged(inside) == judged(outside)


def test_an_upstream_that_checks_no_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything works, and only the inside can see that it should not."""
    monkeypatch.setattr(api, "judge", lambda *_: None)
    with threaded_mock() as url, deployed(url, tmp_path) as broken:
        inside, outside = broken.inside(), broken.outside()

    assert ("not_enforced", *OBSERVED) == judged(inside)
    assert None is outside["cause"]


def test_an_ingress_that_strips_the_tenant_headers(mock: ServedMock, tmp_path: Path) -> None:
    """The secrets have one fingerprint, and the Go API still sees no good signature."""
    with stripping_ingress(mock.url) as url, deployed(url, tmp_path) as broken:
        inside = broken.inside("--api-fingerprint", fingerprint(broken))
        outside = broken.outside()

    assert ("headers_stripped", *OBSERVED) == judged(inside)
    assert ("tenant_headers", *INFERRED_AMBIGUOUS) == judged(outside)


def test_a_wrong_path(sound: Deployment) -> None:
    """404 is the path, and nothing behind it is judged."""
    wrong = Deployment(f"{sound.url}/elsewhere", sound.settings, sound.folder)

    assert ("wrong_path", *OBSERVED) == judged(wrong.outside())


def test_an_app_that_is_not_there(tmp_path: Path) -> None:
    """The first layer that fails is named, as text for people too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = Deployment(url, {}, tmp_path).run()

    assert 1 == done.code
    assert "ROOT CAUSE nothing accepts connections at the app's address and port" == done.first_line
    assert "  fix       Check that the app runs" in done.out


def test_a_token_comes_from_a_file_too(sound: Deployment, tmp_path: Path) -> None:
    """With `Bearer ` before it and a line break behind it, and without any key."""
    path = tmp_path / "token"
    path.write_text(f"Bearer {mint('anna', TENANT, OTHER_SECRET)}\n")
    done = sound.run("--token-file", str(path))

    assert "ROOT CAUSE the proxy refuses the token" in done.first_line
    assert "eyJ" not in done.out
