"""The mock's port, which can be closed and opened again: an API that is down, and comes back."""

from collections.abc import Awaitable, Callable

Act = Callable[[], Awaitable[None]]


class CannotListen(Exception):
    """A port cannot be bound; one line that says which and why."""


class Door:
    """Whether the mock listens; the server that listens says how to stop and start.

    While the door is shut, connections are refused by the kernel, and those that were open are
    reset: what clients see of a stopped process.
    """

    def __init__(self) -> None:
        self._acts: tuple[Act, Act] | None = None
        self._open = True

    def hang(self, shut: Act, reopen: Act) -> None:
        """Say how to stop and start listening."""
        self._acts = shut, reopen

    async def set(self, *, opened: bool) -> None:
        """Start or stop listening on the same port; nothing happens when it is so already.

        Raises ValueError where nothing listens, or something else has taken the port.
        """
        if self._acts is None:
            raise ValueError("this mock has no port of its own")
        shut, reopen = self._acts
        if opened is self._open:
            return
        try:
            await (reopen if opened else shut)()
        except CannotListen as error:
            raise ValueError(str(error)) from None
        self._open = opened
