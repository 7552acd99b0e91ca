"""Rows of the check catalogue that no check claims, each with the reason."""

LEFT_OUT: dict[str, str] = {
    "AUTH-65": (
        "a comparison that leaks time cannot be told from noise over a network: read the code "
        "for hmac.compare_digest"
    ),
    "DEP-03": (
        "fly.toml is not at the target: this project's own is held by tests/test_deploy_files.py, "
        "yours by `fly config validate` and docs/deployment.md"
    ),
    "DEP-12": "the image is not at the target: see the Dockerfile's tests and docs/deployment.md",
    "DEP-14": (
        "the Go API answers for the token first, so readiness cannot see a wrong tenant secret: "
        "`toolbridge doctor` finds it"
    ),
    "MCP-38": "run against the proxy as it is: `tox -e interop`, docs/interop.md",
    "RES-28": (
        "only Fly stops and starts machines; fly.staging.toml keeps one running, so that no "
        "caller meets a cold start"
    ),
}
