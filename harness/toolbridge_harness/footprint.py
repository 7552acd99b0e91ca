"""What the kernel shows of a started server: memory, files, threads, command lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"
_KIB = 1024


@dataclass(frozen=True)
class Footprint:
    """Resident memory in bytes, open file descriptors and threads of a process tree."""

    memory: int
    files: int
    threads: int


def footprint(root: int, port: int) -> Footprint | None:
    """Return what `root`'s descendants take, or None unless one of them listens on `port`.

    A container's processes are not descendants of the command that started it, and only Linux
    shows any: then there is nothing to judge.
    """
    below = _serving(root, port)
    if not below:
        return None
    status = [(_PROC / str(pid) / "status").read_text() for pid in below]
    return Footprint(
        memory=sum(_number(text, "VmRSS") for text in status) * _KIB,
        files=sum(1 for pid in below for _ in _open_files(pid)),
        threads=sum(_number(text, "Threads") for text in status),
    )


def command_lines(root: int, port: int) -> list[str]:
    """Return the command line of each of `root`'s descendants, as any local user may read it.

    Empty unless one of them listens on `port`.
    """
    found = []
    for pid in _serving(root, port):
        try:
            raw = (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            continue
        found.append(raw.replace(b"\0", b" ").decode(errors="replace").strip())
    return [line for line in found if line]


def _serving(root: int, port: int) -> list[int]:
    """Return `root`'s descendants if one of them listens on `port`, otherwise none."""
    below = [pid for pid in _descendants(root) if pid != root]
    listening = _listening_sockets(port)
    return below if any(listening & set(_open_files(pid)) for pid in below) else []


def _number(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _open_files(pid: int) -> Iterator[str]:
    try:
        names = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return
    for name in names:
        try:
            yield str(name.readlink())
        except OSError:
            continue


def _listening_sockets(port: int) -> set[str]:
    """Return the sockets that listen on a TCP port, as the links in a process's `fd` name them."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
