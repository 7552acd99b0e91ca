"""Who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "proxy": "toolbridge_proxy",
    "contract": "toolbridge_contract",
    "harness": "toolbridge_harness",
    "loadtests": "toolbridge_loadtests",
}
# The harness can mint tokens and stays out of the image; a signer that verifier and proxy
# shared would hide its own bug; importing locust monkey-patches the sockets of its importer.
FORBIDDEN = {
    "proxy": {"toolbridge_contract", "toolbridge_harness", "toolbridge_loadtests", "locust"},
    "contract": {"toolbridge_proxy", "toolbridge_harness", "toolbridge_loadtests", "locust"},
    "harness": {"toolbridge_proxy", "locust", "gevent"},
    "loadtests": {"toolbridge_proxy", "toolbridge_harness", "pytest"},
}


# A proxy that shows whether checks have grown around the other one, or the libraries it is made of.
ANOTHER_PROXY = {
    *("toolbridge_proxy", "toolbridge_harness", "fastmcp", "mcp", "uvicorn", "httpx", "support"),
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_imports_only_what_it_may(folder: str) -> None:
    """No module of a package imports what its layer must not know."""
    modules = sorted((ROOT / folder).rglob("*.py"))
    wrong = {p.name: sorted(_imports(p) & FORBIDDEN[folder]) for p in modules}

    assert modules
    assert {} == {name: imported for name, imported in wrong.items() if imported}


def test_the_plain_proxy_shares_nothing_with_the_other_one() -> None:
    """Nor with the suite, but for the table of tools."""
    imported = {name for p in (ROOT / "tests" / "plain_proxy").glob("*.py") for name in _imports(p)}

    assert set() == imported & ANOTHER_PROXY
    assert "starlette" in imported


@pytest.mark.parametrize("module", ["gate", "estimates", "report"])
def test_the_gate_imports_no_locust(module: str) -> None:
    """The gate's own maths can be tested and used without Locust."""
    imported = _imports(ROOT / "loadtests" / "toolbridge_loadtests" / f"{module}.py")

    assert set() == imported & {"locust", "gevent", "pytest"}


@pytest.mark.parametrize(("folder", "package"), PACKAGES.items())
def test_a_package_is_typed(folder: str, package: str) -> None:
    """Each package ships the marker that its annotations may be trusted (PEP 561)."""
    assert (ROOT / folder / package / "py.typed").exists()
