"""Rows of the check catalogue that no check claims, each with the reason."""

LEFT_OUT: dict[str, str] = {
    "AUTH-25": "a leeway of 0 cannot be told from one of a second from outside; AUTH-24 bounds it",
    "AUTH-35": "that no audience is configured is the operator's choice; TEN-03 binds the token",
    "AUTH-65": (
        "a comparison that leaks time cannot be told from noise over a network: read the code "
        "for hmac.compare_digest"
    ),
    "DEP-03": (
        "fly.toml is not at the target: this project's own is held by tests/test_deploy_files.py, "
        "yours by `fly config validate` and docs/deployment.md"
    ),
    "DEP-07": "advisory: the reference proxy sends both headers (tests/proxy), others may not",
    "DEP-12": "the image is not at the target: see the Dockerfile's tests and docs/deployment.md",
    "DEP-14": (
        "the Go API answers for the token first, so readiness cannot see a wrong tenant secret: "
        "`toolbridge doctor` finds it"
    ),
    "ERR-17": "advisory: a version number in a Server header tells an attacker little",
    "LIM-04": "an edge ends slow connections before the proxy sees them; its limits are Fly's",
    "LIM-05": "in parts: LOG-08 has the bad tokens, SES-21 the many users",
    "MCP-38": "run against the proxy as it is: `tox -e interop`, docs/interop.md",
    "RES-22": "a race that cannot be brought about at will; RES-07 tests its outcome",
    "RES-28": (
        "only Fly stops and starts machines; fly.staging.toml keeps one running, so that no "
        "caller meets a cold start"
    ),
    "RES-31": "documents a recipe for callers; there is nothing to judge",
    "SES-28": "SES-26 and SES-27 send foreign and made-up ids to whoever mints ids",
    "SIG-11": "about the verifier's edge, not the signer's: tests/contract holds it for the mock",
}
