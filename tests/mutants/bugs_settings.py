"""Proxies that take more from their environment than they should."""

import os
from typing import Any

from mutants.table import mutant
from support.patching import patch
from toolbridge_proxy import tokens


@mutant(
    "shared-token",
    "callers without a token act under TOOLBRIDGE_JWT_TOKEN",
    rows="AUTH-61",
    cause="auth-shared-token",
)
def shared_token() -> None:
    """A token from the environment stands in for a missing one."""

    def make(original: Any) -> Any:
        async def caller(self: tokens.TokenVerifier, authorization: str | None) -> tokens.Caller:
            shared = os.environ.get("TOOLBRIDGE_JWT_TOKEN")
            if authorization is None and shared:
                authorization = f"Bearer {shared}"
            verified: tokens.Caller = await original(self, authorization)
            return verified

        return caller

    patch(tokens.TokenVerifier, "caller", make)
