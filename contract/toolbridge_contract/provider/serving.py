"""The served mock as a process of its own, for as long as a run takes."""

import contextlib
import json
import os
import secrets as random_secrets
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx

from toolbridge_contract.provider.providers import NoAnswer, Served, fresh_secrets

# A start takes half a second; a busy machine may take ten times as long.
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def served_mock() -> Iterator[Served]:
    """Start `python -m toolbridge_contract serve` on loopback and return a client of it.

    The process ends with this one, however that ends: it watches its standard input.
    """
    secrets = fresh_secrets()
    token = random_secrets.token_hex(16)
    settings = {
        "TENANT_HEADER_SECRET": secrets.tenant,
        "JWT_HS256_SECRET": secrets.jwt,
        "TOOLBRIDGE_MOCK_CONTROL_TOKEN": token,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "toolbridge_contract", "serve", "--until-eof"],
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A terminal's Ctrl-C is for the run alone, which then ends the mock.
        start_new_session=True,
    ) as process:
        try:
            urls = _announced(process)
            turn = _clock(urls["control_url"], token)
            served = Served(urls["url"], secrets, is_mock=True, turn=turn)
            with contextlib.closing(served):
                yield served
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _announced(process: "subprocess.Popen[str]") -> dict[str, str]:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise NoAnswer("the mock ended before it listened")
    urls: dict[str, str] = json.loads(line)
    return urls


def _clock(control_url: str, token: str) -> Callable[[float], None]:
    def turn(seconds: float) -> None:
        answer = httpx.post(
            f"{control_url}/set_clock_offset",
            json={"seconds": seconds},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        answer.raise_for_status()

    return turn
