"""Run a command that must not outlive the harness: `python -m toolbridge_harness.supervise CMD…`.

The harness holds the write end of this process's standard input. When it closes it, or dies in
whatever way, the command and everything it started are ended: SIGTERM first, SIGKILL after
a grace period.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

# fly.staging.toml gives the proxy 30 s; a test run does not wait that long for a clean exit.
GRACE_SECONDS = 5.0
# prctl(2), Linux 3.4.
PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the command given as arguments; return its exit code (128 + n for signal n)."""
    _adopt_orphans()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A terminal's Ctrl-C reaches the harness, which decides; this process only obeys it.
        signal.signal(ignored, signal.SIG_IGN)
    try:
        child = subprocess.Popen(  # noqa: S603 - the command is the user's own
            sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_defaults
        )
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: cannot be started: {error.strerror}\n")
        return 127
    watched = _pidfd(child.pid)
    while child.poll() is None:
        if _harness_is_gone(watched):
            _end(child)
    _kill_group(child, signal.SIGKILL)
    _kill_adopted()
    code = child.returncode
    return code if code >= 0 else 128 - code


def _adopt_orphans() -> None:
    """Become the parent of what the command leaves behind, a session of its own or not."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _kill_adopted() -> None:
    """End what is still below this process, wherever it went; Linux alone can tell."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                os.kill(int(path.parent.name), signal.SIGKILL)


def _defaults() -> None:
    for restored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(restored, signal.SIG_DFL)


def _pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when `pid` ends; None where there is no such."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _harness_is_gone(watched: int | None) -> bool:
    """Wait for the child to exit or standard input to close; true when it is the latter."""
    # Without pidfd the child's exit is noticed by waking up twenty times a second.
    waited = [0] if watched is None else [0, watched]
    ready, _, _ = select.select(waited, [], [], 0.05 if watched is None else None)
    return 0 in ready and os.read(0, 4096) == b""


def _end(child: "subprocess.Popen[bytes]") -> None:
    _kill_group(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    _kill_group(child, signal.SIGKILL)
    child.wait()


def _kill_group(child: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(main())
