"""Stand for a command that a fork server runs: `python -ISE fork_client.py SOCKET COMMAND…`.

Hands arguments, environment, folder and standard streams over, passes signals on, and ends as the
command does. Runs the command itself when the server says that a fork could not honour them, or
is not there. It is started some thirty times per run of the suite: hence the few imports.
"""

import array
import marshal
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What the server answers first.
FORKED, REFUSED = b"F", b"R"
# Its second answer: what os.waitstatus_to_exitcode says, negative for a signal.
STATUS_BYTES = 2
LENGTH_BYTES = 4
# EX_UNAVAILABLE of sysexits.h.
LOST = 69


def main() -> int:
    """Return the command's exit code, or die by its signal."""
    socket_path, *command = sys.argv[1:]
    seen: list[int] = []
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(socket_path)
            for number in PASSED_ON:
                signal.signal(number, lambda number, _: _pass_on(server, number, seen))
            _hand_over(server, command)
            answer = server.recv(1)
        except OSError:
            answer = REFUSED
        if answer != FORKED:
            _run(command, seen)
        status = server.recv(STATUS_BYTES, socket.MSG_WAITALL)
    if len(status) < STATUS_BYTES:
        sys.stderr.write("the fork server is gone: start again, or with real starts\n")
        return LOST
    code = int.from_bytes(status, "big", signed=True)
    return code if code >= 0 else _die(-code)


def _pass_on(server: socket.socket, number: int, seen: list[int]) -> None:
    seen.append(number)
    server.send(bytes([number]))


def _hand_over(server: socket.socket, command: list[str]) -> None:
    arguments = [os.fsencode(word) for word in command]
    folder = os.getcwdb()  # noqa: PTH109 - pathlib takes longer to import than all of this
    request = marshal.dumps((arguments, dict(os.environb), folder))
    streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    server.sendmsg([len(request).to_bytes(LENGTH_BYTES, "big")], streams)
    server.sendall(request)


def _run(command: list[str], seen: list[int]) -> None:
    if seen:
        _die(seen[0])  # nobody has taken it
    os.execv(command[0], command)


def _die(number: int) -> int:
    if number in PASSED_ON:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


if __name__ == "__main__":
    sys.exit(main())
