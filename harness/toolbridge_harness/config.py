"""Where settings come from: options, then the environment and `.env`, then toolbridge.toml."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dotenv
import httpx

from toolbridge_harness.budget import SMALLEST
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Ask, Capability
from toolbridge_harness.tokens import Minted, NoTokens, TokenSource, read_tokens_file

CONFIG_FILE = "toolbridge.toml"
JWT_SECRET = "TOOLBRIDGE_JWT_SECRET"  # noqa: S105 - the name of a variable
TENANT_ID = "TOOLBRIDGE_TENANT_ID"
TENANT_SECRET = "TOOLBRIDGE_TENANT_HEADER_SECRET"  # noqa: S105 - the name of a variable
JWT_ISSUER = "TOOLBRIDGE_JWT_ISSUER"
JWT_AUDIENCE = "TOOLBRIDGE_JWT_AUDIENCE"
TOKENS_FILE = "TOOLBRIDGE_TOKENS_FILE"

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_KEYS = {"url", "tenant_id", "profile", "baseline", "require", "lacks", "budget", "allow"}


@dataclass(frozen=True)
class Environment:
    """One named target of toolbridge.toml."""

    name: str
    url: str | None = None
    tenant_id: str | None = None
    profile: str | None = None
    baseline: Path | None = None
    require: tuple[str, ...] | None = None
    budget: int | None = None
    """Requests of a whole run."""
    allow: frozenset[Ask] = frozenset()
    lacks: frozenset[Capability] = frozenset()


def setting(name: str, folder: Path | None = None) -> str | None:
    """Return an environment variable or, for local work, its value in `.env`; None when unset.

    An empty value counts as unset. A value with blanks around it is refused: it is a paste
    error that would otherwise show as a wrong signature.
    """
    value = os.environ.get(name) or _from_file(name, (folder or Path()) / ".env")
    if not value:
        return None
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageProblem(f"{name} is not UTF-8 text: set it again")
    if value != value.strip():
        raise UsageProblem(f"{name} has blanks or line breaks around its value: remove them")
    return value


def _from_file(name: str, path: Path) -> str | None:
    try:
        # Not interpolated: a `$` in a secret is a `$`.
        return dotenv.dotenv_values(path, interpolate=False).get(name)
    except (OSError, UnicodeDecodeError):
        raise UsageProblem(f"{path}: cannot be read as text") from None


def read_environment(name: str, path: Path | None = None) -> Environment:
    """Return the table `[env.NAME]` of toolbridge.toml."""
    path = path or Path(CONFIG_FILE)
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path}: not TOML: {error}") from None
    named = content.get("env")
    environments = named if isinstance(named, dict) else {}
    table = environments.get(name)
    if not isinstance(table, dict):
        known = ", ".join(sorted(environments)) or "none"
        raise UsageProblem(f"{path}: there is no [env.{name}] (there is: {known})")
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise UsageProblem(f"{path}: [env.{name}] has an unknown key {unknown[0]!r}")
    return _environment(name, table, path)


def _environment(name: str, table: dict[str, Any], path: Path) -> Environment:
    for key in ("url", "tenant_id", "profile", "baseline"):
        if not isinstance(table.get(key, ""), str):
            raise UsageProblem(f"{path}: {key} of [env.{name}] is a string")
    require = table.get("require")
    if require is not None and not (
        isinstance(require, list) and all(isinstance(word, str) for word in require)
    ):
        raise UsageProblem(f"{path}: require of [env.{name}] is a list of strings")
    budget = table.get("budget")
    if budget is not None and not (type(budget) is int and budget >= SMALLEST):
        raise UsageProblem(
            f"{path}: budget of [env.{name}] is a number of requests, at least {SMALLEST}"
        )
    for key, known in (("allow", list(Ask)), ("lacks", list(Capability))):
        words = table.get(key, [])
        if not (isinstance(words, list) and all(word in known for word in words)):
            raise UsageProblem(f"{path}: {key} of [env.{name}] is a list of: {', '.join(known)}")
    baseline = table.get("baseline")
    return Environment(
        name=name,
        url=table.get("url"),
        tenant_id=table.get("tenant_id"),
        profile=table.get("profile"),
        baseline=path.parent / baseline if baseline else None,
        require=tuple(require) if require is not None else None,
        budget=budget,
        allow=frozenset(map(Ask, table.get("allow", []))),
        lacks=frozenset(map(Capability, table.get("lacks", []))),
    )


def token_source(tenant: str | None) -> TokenSource:
    """Return where tokens for a live URL come from: a file of ready ones, the key, or nowhere."""
    tokens_file, secret = setting(TOKENS_FILE), setting(JWT_SECRET)
    if tokens_file:
        return read_tokens_file(Path(tokens_file))
    if secret and not tenant:
        raise UsageProblem(
            f"{JWT_SECRET} is set but {TENANT_ID} is not: tokens need the target's tenant"
        )
    if not secret or not tenant:
        return NoTokens()
    claims = {"iss": setting(JWT_ISSUER), "aud": setting(JWT_AUDIENCE)}
    return Minted(secret, tenant, {name: value for name, value in claims.items() if value})


def split_url(url: str) -> tuple[str, str]:
    """Return origin and MCP path of a URL; the path is /mcp unless the URL has one."""
    try:
        parsed = httpx.URL(url)
        port = parsed.port
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageProblem(f"{url!r} is not a URL: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageProblem(f"{url!r} is not a URL: it starts with https:// and names a host")
    if not _HOST.fullmatch(parsed.host) or (port is not None and not 0 < port < 65536):
        raise UsageProblem(f"{url!r} is not a URL: host or port is malformed")
    if parsed.query or parsed.fragment:
        # Not repeated: people put tokens there.
        raise UsageProblem("the URL has a query or a fragment: give it without")
    if parsed.userinfo:
        raise UsageProblem("the URL holds a user name or password: secrets go in the environment")
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    origin = f"{parsed.scheme}://{host}" + (f":{port}" if port else "")
    return origin, parsed.path.rstrip("/") or "/mcp"
