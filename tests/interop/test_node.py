"""Getting Node.js and its packages: kept for the next run, and a clear line without them."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.node import MANIFESTS, NEXT, STABLE, NodeMissing, NodeTools, install, pinned

pytestmark = pytest.mark.interop

# Installs a `node` that runs, as npm does.
GOOD = f"""\
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho v{pinned(STABLE)["node"]}\\n' > node_modules/.bin/node
chmod +x node_modules/.bin/node
"""


@pytest.fixture
def said() -> list[str]:
    """The progress lines of a test's installs."""
    return []


def _npm(folder: Path, script: str) -> dict[str, str]:
    """Return an environment whose npm is `script`, and counts how often it ran."""
    folder.mkdir(exist_ok=True)
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\necho run >> {folder}/runs\n{script}")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def _message(folder: Path, environ: dict[str, str]) -> str:
    with pytest.raises(NodeMissing) as raised:
        install(folder, lambda _: None, environ)
    message = str(raised.value)
    assert 1 == len(message.splitlines())
    assert 'pytest -m "not interop"' in message
    return message


def test_versions_are_exact_and_name_no_registry() -> None:
    """A manifest pins each package to one version and records no address."""
    for manifest in (STABLE, NEXT):
        text = (MANIFESTS / manifest / "package.json").read_text()
        assert "http" not in text
        for version in pinned(manifest).values():
            assert re.fullmatch(r"\d+\.\d+\.\d+(-[a-z]+\.\d+)?", version)
    assert {"private", "dependencies"} == set(json.loads(text))


def test_installed_packages_are_kept(tmp_path: Path, said: list[str]) -> None:
    """The second run starts no npm; each install says one line before it begins."""
    environ = _npm(tmp_path / "bin", GOOD)

    first = install(tmp_path / "npm", said.append, environ)
    second = install(tmp_path / "npm", said.append, environ)

    assert (first, 2, 2) == (second, len(said), _runs(tmp_path / "bin"))
    assert "@modelcontextprotocol/inspector 2.12.0" in said[0]


def test_another_version_is_installed_anew(tmp_path: Path, said: list[str]) -> None:
    """Packages of an older pin are not taken for those of today's."""
    environ = _npm(tmp_path / "bin", GOOD)
    install(tmp_path / "npm", said.append, environ)
    (tmp_path / "npm" / NEXT / "installed.json").write_text("{}")

    install(tmp_path / "npm", said.append, environ)

    assert (3, 3) == (len(said), _runs(tmp_path / "bin"))


def test_no_npm_is_one_line(tmp_path: Path) -> None:
    """It names what is missing and what to do."""
    message = _message(tmp_path, {"PATH": str(tmp_path)})

    assert message.startswith("interop: npm is not on the PATH: install Node.js with npm")


def test_a_failing_npm_is_one_line(tmp_path: Path) -> None:
    """It quotes what npm said first, and where to read the rest."""
    environ = _npm(tmp_path / "bin", "echo npm error code E404\necho more\nexit 7\n")

    message = _message(tmp_path / "npm", environ)

    assert "`npm install` ended with 7 (npm error code E404)" in message
    assert str(tmp_path / "npm" / STABLE / "npm.log") in message


def test_a_node_that_was_not_set_up_is_one_line(tmp_path: Path) -> None:
    """npm that runs no install scripts leaves no Node.js behind: said, and not kept."""
    environ = _npm(tmp_path / "bin", "mkdir -p node_modules/.bin\n")

    message = _message(tmp_path / "npm", environ)

    assert "and is nothing: the npm package `node` needs its install script" in message
    assert not (tmp_path / "npm" / STABLE / "installed.json").exists()


def test_what_runs_is_what_is_pinned(node: NodeTools) -> None:
    """Each installed package has the version that its manifest names."""

    def installed() -> Iterator[tuple[str, str]]:
        for manifest in (STABLE, NEXT):
            for name in pinned(manifest):
                package = node.package(manifest, name) / "package.json"
                yield f"{manifest} {name}", json.loads(package.read_text())["version"]

    wanted = {f"{m} {name}": v for m in (STABLE, NEXT) for name, v in pinned(m).items()}
    assert wanted == dict(installed())
