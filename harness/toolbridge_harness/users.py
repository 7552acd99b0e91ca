"""The users as whom the checks act on a live deployment: few, marked, and the same every time."""

from collections import deque

# The largest check acts as six at once there, and no check as more.
SHARE = 6


class Users:
    """A pool of `toolbridge-verify-01` and so on: a share for each check that runs at a time.

    Users of the Go API come into being with their first call and stay, so that a new one for
    each check would leave a list that grows with every run.
    """

    def __init__(self, jobs: int) -> None:
        names = [f"toolbridge-verify-{number:02}" for number in range(1, SHARE * jobs + 1)]
        self._free = deque(names[i : i + SHARE] for i in range(0, len(names), SHARE))

    def lease(self) -> list[str]:
        """Return users that nobody else acts as until they are released."""
        return self._free.popleft()

    def release(self, share: list[str]) -> None:
        """Give a share back; who was first is last next time, so that no user hits a limit."""
        self._free.append([*share[1:], share[0]])
