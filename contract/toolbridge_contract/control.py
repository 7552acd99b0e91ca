"""Drive a served mock from outside: read what it recorded, inject faults, end sessions."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from toolbridge_contract.mock.faults import Fault
from toolbridge_contract.mock.recording import PAGE, RecordedRequest

__all__ = ["ControlError", "Fault", "MockControl", "RecordedRequest"]

# The control port is on the same machine; more means that the mock is stuck.
_TIMEOUT_SECONDS = 10.0


class ControlError(Exception):
    """The mock could not be asked; one line that says why."""


class MockControl:
    """Async client of the control port of `python -m toolbridge_contract serve`.

    Every method raises ControlError when the mock cannot be reached, refuses the token, or finds
    the request wrong.
    """

    def __init__(self, control_url: str, token: str, *, timeout: float = _TIMEOUT_SECONDS) -> None:
        self._url = control_url
        self._client = httpx.AsyncClient(
            base_url=control_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def requests(self, caller: str | None = None, after: int = 0) -> list[RecordedRequest]:
        """Return what was recorded past sequence number `after`, of one caller or of all."""
        records: list[RecordedRequest] = []
        while page := await self._ask("requests", caller=caller, after=after):
            records += [RecordedRequest.from_json(item) for item in page]
            after = records[-1].seq
            if len(page) < PAGE:
                break
        return records

    async def inject(self, fault: Fault) -> None:
        """Put a fault in force, behind those already there."""
        await self._ask("inject", **fault.to_json())

    async def clear_faults(self, caller: str | None = None) -> None:
        """Remove the faults of one caller (None: all); what hangs on them is answered."""
        await self._ask("clear_faults", caller=caller)

    async def drop_sessions(self, caller: str | None = None) -> int:
        """End the sessions of one caller (None: all), as a restart does; return how many."""
        return int(await self._ask("drop_sessions", caller=caller))

    async def shorten_sessions(self, seconds: float | None) -> None:
        """Let new sessions live `seconds`; None is the real 30 minutes."""
        await self._ask("shorten_sessions", seconds=seconds)

    async def wipe(self, caller: str) -> int:
        """Wipe a caller as another of their devices would; return the new epoch."""
        return int(await self._ask("wipe", caller=caller))

    async def set_clock_offset(self, seconds: float) -> None:
        """Shift the mock's clock; positive runs ahead."""
        await self._ask("set_clock_offset", seconds=seconds)

    async def trust_keys(self, key_set: Mapping[str, Any]) -> None:
        """Let the mock take RS256 tokens by the RSA keys of a JWK set (RFC 7517 §5) too.

        The keys are added to those trusted before, by `kid`; at first there are none.
        """
        await self._ask("trust_keys", keys=key_set["keys"])

    async def stop_listening(self) -> None:
        """Close the mock's port and cut its connections: new ones are refused, as when it is down.

        The control port stays open.
        """
        await self._ask("listen", opened=False)

    async def listen(self) -> None:
        """Open the same port again; what was kept in memory is still there."""
        await self._ask("listen", opened=True)

    async def stats(self) -> dict[str, int]:
        """Return the counts `recorded` and `dropped`."""
        counts: dict[str, int] = await self._ask("stats")
        return counts

    async def _ask(self, command: str, **arguments: object) -> Any:
        try:
            response = await self._client.post(f"/{command}", json=arguments)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ControlError(f"mock control at {self._url} cannot be reached: {reason}") from None
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise ControlError(
                f"mock control at {self._url} refuses the token: "
                "it must equal TOOLBRIDGE_MOCK_CONTROL_TOKEN of the mock"
            )
        if response.status_code != httpx.codes.OK:
            raise ControlError(f"mock control: {command}: {_reason(response)}")
        return response.json()["result"]


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}; is this the control port of a mock?"
