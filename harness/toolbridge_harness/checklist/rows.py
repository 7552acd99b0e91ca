"""The rows of the deployment guide, in its order and wording.

Commands are those that flyctl has today: `fly info`, `fly metrics -a` and `fly releases rollback`
are gone. `fly logs --no-tail` hands out the last 100 lines at most, and never ends for an app
that has none, hence `timeout`.
"""

from toolbridge_harness.checklist.fill import Row, Section

_LOGS = "timeout 60 fly logs --no-tail -a {app}"
_LIFE_CYCLES = tuple(
    f"tools-{kind}-life-cycle" for kind in ("note", "task", "comment", "chat", "chat_message")
)
# A call that comes back with data went through the Go API's check of the signature.
_ACCEPTED = ("tools-note-life-cycle",)

BEFORE_DEPLOYING = (
    Row(
        "before-secrets-exist",
        Section.BEFORE,
        "**Secrets exist in K8s** - Verify `kubectl get secret toolbridge-secret -n toolbridge` "
        "returns jwt-secret + tenant-header-secret",
        "the secret lists both keys",
        run="kubectl get secret toolbridge-secret -n toolbridge -o json | jq '.data | keys'",
    ),
    Row(
        "before-secrets-match",
        Section.BEFORE,
        "**Secrets match Fly.io** - Both services must use the same TENANT_HEADER_SECRET",
        "the Go API accepts what the proxy signs",
        checks=_ACCEPTED,
        run="{verify}",
    ),
    Row(
        "before-secrets-rotated",
        Section.BEFORE,
        "**Secrets are rotated** - If this is a re-deployment after exposure, generate new "
        "secrets first",
        "each digest differs from the one listed before the exposure",
        run="fly secrets list -a {app}",
    ),
    Row(
        "before-env-file",
        Section.BEFORE,
        "**Local .env configured** - Copy `.env.example` to `.env` and fill in secrets for testing",
        ".env has a value for each required setting",
        run="cp .env.example .env",
        unseen="there is no .env in this folder",
    ),
)

SECURITY = (
    Row(
        "security-secret-matches",
        Section.SECURITY,
        "`TOOLBRIDGE_TENANT_HEADER_SECRET` matches K8s secret",
        "the Go API accepts what the proxy signs",
        checks=_ACCEPTED,
        run="{verify}",
    ),
    Row(
        "security-jwt",
        Section.SECURITY,
        "JWT validation working (test with invalid token)",
        "a valid token is accepted, and no, garbled, expired, forged and unsigned ones are refused",
        checks=(
            "control-token",
            "auth-no-token",
            "auth-garbage-token",
            "auth-expired",
            "auth-wrong-secret",
            "auth-alg-none",
        ),
        run="{verify}",
    ),
    Row(
        "security-logs",
        Section.SECURITY,
        "No sensitive data in logs (check `fly logs`)",
        "no token, secret or whole signature in answers and log lines; the command finds nothing",
        checks=("hygiene-no-secret-in-answers", "hygiene-no-secret-in-logs"),
        run=_LOGS + " | grep -nE 'eyJ[A-Za-z0-9_-]{10}|[0-9a-fA-F]{64}'",
        # Only a proxy that the harness started shows it its log; the image is the same.
        live=False,
    ),
    Row(
        "security-https",
        Section.SECURITY,
        "HTTPS enforced (check `fly.staging.toml` force_https)",
        "the public service has force_https = true",
        run="grep -n force_https {config}",
        unseen="{config} is not in this folder",
    ),
    Row(
        "security-isolation",
        Section.SECURITY,
        "Tenant isolation verified (test cross-tenant access)",
        "foreign and missing tenants, foreign uids and forged tenant headers get nowhere",
        checks=(
            "control-token",
            "tenant-wrong",
            "tenant-missing",
            "tenant-header-powerless",
            "isolation-foreign-uid",
        ),
        run="{verify}",
    ),
    Row(
        "security-git",
        Section.SECURITY,
        "Secrets not committed to git (check `.gitignore`)",
        "git names the rule that ignores .env, and no commit",
        run="git check-ignore -v .env; git log --all --oneline -- .env",
        unseen="this folder is in no git repository",
    ),
)

SUCCESS_CRITERIA = (
    Row(
        "success-healthy",
        Section.SUCCESS,
        'App deployed and healthy (`fly status` shows "running")',
        'every machine is "started", today\'s word for running',
        run="fly status -a {app}",
    ),
    Row(
        "success-health-checks",
        Section.SUCCESS,
        "Health checks passing (check Fly dashboard)",
        'every machine lists its check as "passing"',
        run="fly checks list -a {app}",
    ),
    Row(
        "success-tools-listed",
        Section.SUCCESS,
        "Can list MCP tools via inspector",
        "tools/list names all 40 tools",
        checks=("tools-inventory",),
        run="{verify}",
    ),
    Row(
        "success-tools-tested",
        Section.SUCCESS,
        "At least 3 tools tested successfully",
        "each kind of item was created, read, changed and deleted",
        checks=_LIFE_CYCLES,
        run="{verify}",
    ),
    Row(
        "success-logs",
        Section.SUCCESS,
        "Logs show successful Go API requests",
        "the command finds log lines of upstream requests",
        run=_LOGS + " | grep -E '\"status\": ?20[0-9]'",
    ),
    Row(
        "success-no-errors",
        Section.SUCCESS,
        "No errors in last 100 log lines",
        "the command finds nothing",
        run=_LOGS + " | grep -iE 'error|critical|traceback'",
    ),
    Row(
        "success-p95",
        Section.SUCCESS,
        "Latency p95 < 200ms (check metrics)",
        "a load test whose verdict is pass",
        run="toolbridge load --url {url} --report load.json",
        unseen="no load report was given (--load-report)",
    ),
    Row(
        "success-docs",
        Section.SUCCESS,
        "Documentation updated",
        "the documentation describes what was deployed",
        run="git log -3 --format='%cs %s' -- README.md CHANGELOG.md docs",
    ),
    Row(
        "success-secrets-documented",
        Section.SUCCESS,
        "Secrets documented in secure location",
        "owner, place and last rotation of every name listed are in the team's vault",
        run="fly secrets list -a {app}",
    ),
)

ROWS = (*BEFORE_DEPLOYING, *SECURITY, *SUCCESS_CRITERIA)
