"""What a process that is already running can take over from the environment of a command."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Read when they are needed, or set anew by `live`. All else was read at the start: by the
# loader (LD_PRELOAD), by the interpreter (PYTHON*, LC_*) or by imports (FASTMCP_*).
TAKEN_OVER = re.compile(
    r"TOOLBRIDGE_.*"
    r"|(FLASK_)?DEBUG|DEV|DEV_MODE|DEVELOPMENT|TESTING|INSECURE|ALLOW_ANONYMOUS"  # switches, as
    r"|AUTH_DISABLED|(DISABLE|NO|SKIP|REQUIRE)_AUTH|AUTH_ENABLED"  # the check of them sets them
    r"|((APP|NODE|FLASK)_)?ENV|ENVIRONMENT"
    r"|PYTEST_CURRENT_TEST"  # another one in each test, and nobody reads it
    r"|TZ|PATH|SSL_CERT_FILE|SSL_CERT_DIR|((HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy)"
)


def honoured(environment: Mapping[bytes, bytes], folder: bytes) -> bool:
    """Whether a fork of this process is what a start with `environment` in `folder` would be.

    The folder counts because FastMCP reads a file `.env` there when it is imported.
    """
    own = os.environb
    names = {name for name in {*environment, *own} if environment.get(name) != own.get(name)}
    taken_over = all(TAKEN_OVER.fullmatch(os.fsdecode(name)) for name in names)
    return taken_over and folder == os.fsencode(Path.cwd())
