"""The signatures of the vectors by openssl, an implementation that shares nothing with ours.

Run as a script, it writes them into the file: `python tests/support/signing_openssl.py`.
"""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolbridge_contract import vectors

OPENSSL = shutil.which("openssl")
FILE = Path(vectors.__file__).with_name("signing.json")


def digest(name: str, message: bytes, *options: str) -> bytes:
    """Return what `openssl dgst -<name> <options>` computes over `message`."""
    if OPENSSL is None:
        raise FileNotFoundError("openssl is not on the PATH: install it to compute the vectors")
    done = subprocess.run(
        [OPENSSL, "dgst", f"-{name}", *options, "-binary"],
        input=message,
        capture_output=True,
        check=True,
        timeout=10,
    )
    return done.stdout


def hmac(name: str, key: bytes, message: bytes) -> bytes:
    """Return the HMAC; the key goes in as hex, because text cannot hold a NUL."""
    return digest(name, message, "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}")


def sha256(key: bytes, message: bytes) -> str:
    return hmac("sha256", key, message).hex()


FORMS: dict[str, Callable[[bytes, bytes], str | None]] = {
    vectors.HEX: sha256,
    "upper-case hex": lambda key, message: sha256(key, message).upper(),
    "base64": lambda key, message: base64.b64encode(hmac("sha256", key, message)).decode(),
    "first 63 digits": lambda key, message: sha256(key, message)[:63],
    "one digit more": lambda key, message: sha256(key, message) + "0",
    "last digit changed": lambda key, message: _last_changed(sha256(key, message)),
    "64 zeros": lambda key, message: "0" * 64,
    "sha256= before": lambda key, message: "sha256=" + sha256(key, message),
    "HMAC-SHA1": lambda key, message: hmac("sha1", key, message).hex(),
    "HMAC-SHA512": lambda key, message: hmac("sha512", key, message).hex(),
    "SHA-256 of secret and message": lambda key, message: digest("sha256", key + message).hex(),
    "empty": lambda key, message: "",
    "absent": lambda key, message: None,
}


def _last_changed(text: str) -> str:
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def signature(row: dict[str, Any]) -> str | None:
    """Return the signature of one row of the file."""
    key = row.get("signed_with", row["secret"]).encode()
    return FORMS[row.get("form", vectors.HEX)](key, row["message"].encode())


def recomputed() -> str:
    """Return the whole file with every signature computed anew."""
    document = vectors.document()
    for row in document["vectors"]:
        row["signature"] = signature(row)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(recomputed(), "utf-8")
    sys.stdout.write(f"{len(vectors.load())} signatures written to {FILE}\n")
