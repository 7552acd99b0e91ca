"""Node.js and the MCP tools written for it: pinned, installed once, kept for the next run."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MANIFESTS = HERE / "npm"
# Packages of one manifest share a folder; two versions of one package cannot.
STABLE, NEXT = "stable", "next"
# 160 MB to fetch at the first run: five minutes is a line of 4 Mbit/s.
INSTALL_SECONDS = 300
_INSTALL = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
_LEAVE_OUT = 'or leave these tests out: pytest -m "not interop"'


class NodeMissing(Exception):
    """The Node.js tools can't be had; the message is one line and says what to do."""


@dataclass(frozen=True)
class NodeTools:
    """Where the installed packages are."""

    folder: Path

    def package(self, manifest: str, name: str) -> Path:
        """Return the folder of an installed package."""
        return self.folder / manifest / "node_modules" / name

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a Node.js child, which finds the pinned Node.js first.

        `home` takes what the tools store for their user; nothing may ask a person or open
        a browser, and nothing of this shell's settings reaches them.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOOLBRIDGE_")}
        here = str(self.folder / STABLE / "node_modules" / ".bin")
        return inherited | {
            "PATH": os.pathsep.join([here, inherited.get("PATH", os.defpath)]),
            "HOME": str(home),
            "MCP_AUTO_OPEN_ENABLED": "false",
            "NO_COLOR": "1",
        }


def default_folder() -> Path:
    """Return where packages are kept: in tox's own environment, or beside those of tox."""
    environment = os.environ.get("TOX_ENV_DIR")
    return Path(environment) / "npm" if environment else ROOT / ".tox" / "interop-npm"


def pinned(manifest: str) -> dict[str, str]:
    """Return package names and exact versions of a manifest."""
    document = json.loads((MANIFESTS / manifest / "package.json").read_text())
    versions: dict[str, str] = document["dependencies"]
    return versions


def install(
    folder: Path, say: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> NodeTools:
    """Install what is not there yet and return where it is; `say` is told before a download.

    Raises NodeMissing when npm is not there, fails, or installs a Node.js that does not run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two runs at once would write into each other's packages.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for manifest in (STABLE, NEXT):
            _install_one(folder / manifest, manifest, say, environ)
    return NodeTools(folder)


def _install_one(
    folder: Path, manifest: str, say: Callable[[str], None], environ: Mapping[str, str]
) -> None:
    wanted = (MANIFESTS / manifest / "package.json").read_text()
    # Written last, so that an interrupted install starts anew.
    done = folder / "installed.json"
    if done.is_file() and done.read_text() == wanted:
        return
    npm = shutil.which("npm", path=environ.get("PATH", os.defpath))
    if npm is None:
        raise NodeMissing(
            f"interop: npm is not on the PATH: install Node.js with npm (any version that npm "
            f"supports; Node.js {pinned(STABLE)['node']} for the tests is fetched by it), "
            + _LEAVE_OUT
        )
    names = ", ".join(f"{name} {version}" for name, version in pinned(manifest).items())
    say(f"interop: npm installs {names} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(wanted)
    _run_npm([npm, *_INSTALL], folder, environ)
    if manifest == STABLE:
        _check_node(folder / "node_modules" / ".bin" / "node")
    done.write_text(wanted)


def _run_npm(command: list[str], folder: Path, environ: Mapping[str, str]) -> None:
    log = folder / "npm.log"
    ended = f"took more than {INSTALL_SECONDS} s"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(INSTALL_SECONDS)
            ended = f"ended with {code}"
        except subprocess.TimeoutExpired:
            code = 1
        finally:
            with contextlib.suppress(ProcessLookupError):
                # npm runs install scripts as children, which would go on without it.
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code:
        said = next((line.strip() for line in log.read_text().splitlines() if line.strip()), "-")
        raise NodeMissing(
            f"interop: `npm install` {ended} ({said}): check the network and npm's registry, "
            f"read {log}, {_LEAVE_OUT}"
        )


def _check_node(node: Path) -> None:
    wanted = f"v{pinned(STABLE)['node']}"
    found = "nothing"
    if node.exists():
        run = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
        found = run.stdout.strip() or f"exit code {run.returncode}"
    if found != wanted:
        raise NodeMissing(
            f"interop: {node} should be Node.js {wanted} and is {found}: the npm package `node` "
            f"needs its install script (npm config set ignore-scripts false), {_LEAVE_OUT}"
        )
