"""Proxies that take tokens meant for others, and tell clients the wrong address."""

import copy
from collections.abc import Callable
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import app, gate, tokens


def _instead_of(
    setting: str, fits: Callable[[Any, str], bool], algorithms: tuple[str, ...] = ("HS256", "RS256")
) -> None:
    """Leave the check of `jwt_<setting>` to `fits`, which gets the claim and what is configured."""
    claim = {"issuer": "iss", "audience": "aud"}[setting]

    def make(original: Any) -> Any:
        def verify(self: tokens.TokenVerifier, token: str, key: Any, algorithm: str) -> None:
            expected = getattr(self._settings, f"jwt_{setting}")
            if algorithm not in algorithms or expected is None:
                original(self, token, key, algorithm)
                return
            relaxed = copy.copy(self)
            relaxed._settings = self._settings.model_copy(update={f"jwt_{setting}": None})
            original(relaxed, token, key, algorithm)
            said = jwt.decode(token, options={"verify_signature": False}).get(claim)
            if not fits(said, expected):
                raise tokens.Denied("invalid_token", claim)

        return verify

    patch(tokens.TokenVerifier, "_verify", make)


@mutant(
    "M-A14",
    "the audience is not checked although one is configured",
    rows="AUTH-34",
    cause="auth-issuer-audience",
)
def any_audience() -> None:
    """Tokens for any service of the issuer."""
    _instead_of("audience", lambda said, expected: True)


@mutant(
    "M-A15",
    "the audience need only contain the configured one",
    rows="AUTH-34",
    cause="auth-issuer-audience",
)
def audience_contains() -> None:
    """`in` on a list is meant, and on text something else."""
    _instead_of("audience", lambda said, expected: bool(said) and expected in said)


@mutant(
    "M-A16",
    "the issuer need only begin like the configured one",
    rows="AUTH-33",
    cause="auth-issuer-audience",
)
def issuer_begins() -> None:
    """To be generous with trailing slashes."""
    _instead_of("issuer", lambda said, expected: str(said).startswith(expected))


@mutant(
    "jwks-any-audience",
    "the audience is checked for HS256 alone",
    rows="AUTH-34",
    cause="auth-keys-issuer-audience",
)
def any_audience_by_key() -> None:
    """Each algorithm has its own way through."""
    _instead_of("audience", lambda said, expected: True, ("RS256",))


@mutant(
    "metadata-from-host",
    "the OAuth metadata names the Host of the request",
    rows="AUTH-55",
    cause="auth-resource-metadata",
)
def metadata_from_host() -> None:
    """As frameworks build addresses."""

    def routes(settings: Any) -> list[Route]:
        async def document(request: Request) -> Response:
            resource = f"https://{request.headers['host']}/mcp"
            return JSONResponse(
                {"resource": resource, "authorization_servers": [settings.jwt_issuer]}
            )

        return [Route(f"{app.METADATA_PATH}/mcp", document)]

    patch(app, "_metadata_routes", lambda _: routes)


@mutant(
    "metadata-unannounced",
    "a refusal does not say where the OAuth metadata is",
    rows="AUTH-55",
    cause="auth-resource-metadata",
)
def metadata_unannounced() -> None:
    """Clients have to guess."""

    def make(original: Any) -> Any:
        def denial(*given: Any) -> Response:
            response: Response = original(*given)
            told = response.headers.get("WWW-Authenticate", "").split("resource_metadata")[0]
            response.headers["WWW-Authenticate"] = told.rstrip(", ")
            return response

        return denial

    patch(gate.Gate, "_denial", make)
