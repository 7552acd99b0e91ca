"""Run a program again and again, each time as a fork of a process that has its imports behind it.

A proxy imports for more than a second of CPU time before it does anything, and a run of the suite
starts some thirty of them. This process has no threads and no event loop, so that a fork is what
a fresh interpreter would be after the same imports. What forks share beyond that is the seed of
string hashes: sets of text have one order for all of a server's children.
"""

import contextlib
import gc
import marshal
import os
import selectors
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from mutants.fork_child import Child, live
from mutants.fork_client import FORKED, LENGTH_BYTES, PASSED_ON, REFUSED, STATUS_BYTES
from mutants.fork_environment import honoured

# A client sends its request at once; one that does not must not hold up the others for ever.
_PATIENCE_SECONDS = 10.0
_STREAMS = 3


class _Request(NamedTuple):
    command: list[bytes]
    environment: dict[bytes, bytes]
    folder: bytes


@dataclass
class _Life:
    """One forked process, and the client that stands for it."""

    pid: int
    watched: int
    client: socket.socket


@dataclass
class ForkServer:
    """Serves the clients that connect to `listener`, until descriptor `owner` is at its end.

    `program` is called in each child with the words of the client's command, and returns its
    exit code.
    """

    listener: socket.socket
    owner: int
    program: Callable[[list[str]], int]
    _ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _lives: dict[int, _Life] = field(default_factory=dict)

    def run(self) -> None:
        """Fork for each client; at the end no child is left."""
        gc.collect()
        gc.freeze()  # a child that collects would copy every page
        self._ready.register(self.listener, selectors.EVENT_READ, self._accept)
        self._ready.register(self.owner, selectors.EVENT_READ, None)
        while self._serve():
            pass
        for life in self._lives.values():
            _signal(life.pid, signal.SIGKILL)

    def _serve(self) -> bool:
        due = [key.data for key, _ in self._ready.select()]
        for act in due:
            if act is not None:
                act()
        return None not in due

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        client.settimeout(_PATIENCE_SECONDS)
        streams: list[int] = []
        try:
            request = _receive(client, streams)
            if honoured(request.environment, request.folder):
                self._fork(client, request, streams)
            else:
                client.sendall(REFUSED)
                client.close()
        except (OSError, EOFError):
            client.close()
        finally:
            for stream in streams:
                os.close(stream)

    def _fork(self, client: socket.socket, request: _Request, streams: list[int]) -> None:
        client.sendall(FORKED)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                self._leave_to_child(client)
                command = [os.fsdecode(word) for word in request.command]
                given = Child(parent, tuple(streams), request.environment)
                live(given, partial(self.program, command))
            finally:
                os._exit(1)  # never back into the loop
        life = _Life(pid, os.pidfd_open(pid), client)
        self._lives[pid] = life
        self._ready.register(client, selectors.EVENT_READ, partial(self._hear, life))
        self._ready.register(life.watched, selectors.EVENT_READ, partial(self._bury, life))

    def _leave_to_child(self, client: socket.socket) -> None:
        """Close, in the child, what belongs to the server."""
        self._ready.close()
        os.close(self.owner)
        for opened in (self.listener, client, *(life.client for life in self._lives.values())):
            opened.close()
        for life in self._lives.values():
            os.close(life.watched)
        self._lives.clear()

    def _hear(self, life: _Life) -> None:
        """Pass a client's signals on; end its child when it is gone."""
        if life.pid not in self._lives:
            return
        try:
            numbers = life.client.recv(16)
        except OSError:
            numbers = b""
        for number in numbers:
            if number in PASSED_ON:
                _signal(life.pid, number)
        if not numbers:
            self._ready.unregister(life.client)
            _signal(life.pid, signal.SIGKILL)

    def _bury(self, life: _Life) -> None:
        """Tell the client how its child ended."""
        del self._lives[life.pid]
        self._ready.unregister(life.watched)
        with contextlib.suppress(KeyError):
            self._ready.unregister(life.client)
        os.close(life.watched)
        # While it is not waited for, its number is nobody else's.
        _signal(life.pid, signal.SIGKILL)
        _, status = os.waitpid(life.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            life.client.sendall(code.to_bytes(STATUS_BYTES, "big", signed=True))
        life.client.close()


def _receive(client: socket.socket, streams: list[int]) -> _Request:
    """Read one request; the descriptors that come with it are appended to `streams`."""
    room = socket.CMSG_LEN(_STREAMS * struct.calcsize("i"))
    head, attached, _, _ = client.recvmsg(LENGTH_BYTES, room)
    for _, _, packed in attached:
        streams += struct.unpack(f"{len(packed) // 4}i", packed)
    length = int.from_bytes(head, "big")
    body = client.recv(length, socket.MSG_WAITALL)
    if len(streams) != _STREAMS or len(head) < LENGTH_BYTES or len(body) < length:
        raise EOFError
    return _Request(*marshal.loads(body))


def _signal(pid: int, number: int) -> None:
    """Send a signal to a child and what it started; to it alone while it is no group yet."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
