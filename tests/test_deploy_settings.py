"""The settings that a person fills in, and the pins of the image's dependencies."""

import re
import tomllib
from pathlib import Path

import dotenv
from packaging.requirements import Requirement

from toolbridge_proxy.settings import Settings

ROOT = Path(__file__).parents[1]
# The settings that the proxy and the harness read, with the defaults of the proxy's table.
DEFAULTS = {
    "TOOLBRIDGE_GO_API_BASE_URL": "",
    "TOOLBRIDGE_TENANT_ID": "",
    "TOOLBRIDGE_TENANT_HEADER_SECRET": "",
    "TOOLBRIDGE_JWT_SECRET": "",
    "TOOLBRIDGE_JWT_JWKS_URL": "",
    "TOOLBRIDGE_JWT_ISSUER": "",
    "TOOLBRIDGE_JWT_AUDIENCE": "",
    "TOOLBRIDGE_JWT_ALLOW_BOTH": "false",
    "TOOLBRIDGE_HOST": "0.0.0.0",
    "TOOLBRIDGE_PORT": "8001",
    "TOOLBRIDGE_METRICS_PORT": "9091",
    "TOOLBRIDGE_PUBLIC_URL": "",
    "TOOLBRIDGE_ALLOWED_HOSTS": "",
    "TOOLBRIDGE_ALLOWED_ORIGINS": "",
    "TOOLBRIDGE_LOG_LEVEL": "INFO",
    "TOOLBRIDGE_LOG_FORMAT": "json",
    "TOOLBRIDGE_UPSTREAM_TIMEOUT_SECONDS": "25",
    "TOOLBRIDGE_UPSTREAM_CA_FILE": "",
    "TOOLBRIDGE_JWKS_REFRESH_SECONDS": "300",
    "TOOLBRIDGE_TOKENS_FILE": "",
}
REQUIRED = list(DEFAULTS)[:3]


def read(name: str) -> str:
    return (ROOT / name).read_text()


# --- requirements/proxy.txt


def pins() -> dict[str, tuple[str, int]]:
    """Version and number of hashes of every pinned package."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in read("requirements/proxy.txt").splitlines():
        text = line.strip().removesuffix("\\").strip()
        if text.startswith("#") or not text:
            continue
        if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text):
            found[name] = (found[name][0], found[name][1] + 1)
            continue
        pinned = re.fullmatch(r"([a-z0-9-]+)==([0-9A-Za-z.]+)", text)
        assert pinned, f"not a pin: {line}"
        name = pinned[1]
        found[name] = (pinned[2], 0)
    return found


def test_pins_are_exact_and_hashed() -> None:
    """Every line is one version with hashes: no option, no URL, no path of a machine."""
    assert len(pins()) > 30
    assert [name for name, (_, hashes) in pins().items() if hashes == 0] == []
    assert "/" not in read("requirements/proxy.txt")


def test_pins_fit_the_base_dependencies() -> None:
    """What pyproject.toml asks for is pinned at a version that it allows."""
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    pinned = pins()

    for requirement in map(Requirement, wanted):
        assert requirement.name in pinned
        assert requirement.specifier.contains(pinned[requirement.name][0]), requirement
    # What the extras of uvicorn and pyjwt bring.
    assert {"uvloop", "httptools", "cryptography"} <= set(pinned)


def test_pins_hold_nothing_of_the_harness() -> None:
    """The image gets the base dependencies and no test or load tool."""
    assert not {"locust", "pytest", "respx", "junitparser", "hypothesis", "toolbridge-mcp"} & set(
        pins()
    )


# --- .env.example


def example() -> dict[str, tuple[bool, str]]:
    """Whether each setting is active, and its value; prose lines are left out."""
    lines = re.findall(r"^(#?)([A-Z][A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE)
    return {name: (not commented, value) for commented, name, value in lines}


def test_env_example_names_every_setting_with_its_default() -> None:
    """Each setting is there once; the required ones are open lines, the others show defaults."""
    assert {name: value for name, (_, value) in example().items()} == DEFAULTS
    assert [name for name, (active, _) in example().items() if active] == REQUIRED


def test_env_example_has_a_comment_for_every_setting() -> None:
    """Above each setting, or above the group that it stands in, a comment says what it is."""
    above = ""
    for line in read(".env.example").splitlines():
        if re.match(r"#?TOOLBRIDGE_", line):
            assert above.startswith("# "), line
        else:
            above = line


def test_env_example_reads_as_an_env_file() -> None:
    """Both readers agree: python-dotenv, and Docker, which takes all behind = literally."""
    values = dotenv.dotenv_values(ROOT / ".env.example")

    assert values == dict.fromkeys(REQUIRED, "")
    assert not any(set(value) & set("\"' #") for _, value in example().values())


def test_env_example_keeps_up_with_the_proxy() -> None:
    """Every setting that the reference proxy reads is documented, with the same default."""
    for name, field in Settings.model_fields.items():
        variable = f"TOOLBRIDGE_{name.upper()}"
        default = None if field.is_required() or field.default == () else field.default
        shown = {None: "", True: "true", False: "false"}.get(default, f"{default}")
        assert DEFAULTS[variable] == shown, variable


def test_git_never_takes_the_env_file() -> None:
    """.env is ignored and the example is not."""
    rules = read(".gitignore").splitlines()

    assert ".env" in rules
    assert "!.env.example" in rules
