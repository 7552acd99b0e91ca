"""The causes that the doctor can name: rows of check catalogue 4.2 as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """A row: its number in the table, the cause in one line, and what to do about it."""

    row: str
    cause: str
    remedy: str


SYMPTOMS: dict[str, Symptom] = {
    "app_dns": Symptom(
        "1",
        "the app's host name does not resolve here",
        "Check the name with `fly apps list` and its addresses with `fly ips list`. When another "
        "network resolves it, this machine's DNS is at fault.",
    ),
    "app_family": Symptom(
        "1",
        "the app has IPv6 addresses only, and this network has no route to them",
        "`fly ips allocate-v4 --shared`, or use a network with IPv6.",
    ),
    "app_connect": Symptom(
        "2",
        "nothing accepts connections at the app's address and port",
        "Check that the app runs (`fly status`), the service ports in fly.toml, and firewalls on "
        "the way: try from another network.",
    ),
    "app_tls_port": Symptom(
        "2",
        "port 443 is refused while port 80 is open: no TLS handler",
        'Give the service of fly.toml a port 443 with handlers ["tls", "http"], or use '
        "[http_service].",
    ),
    "app_tls": Symptom(
        "3",
        "the app's TLS certificate or handshake is not acceptable",
        "Expired or a name that is missing: `fly certs check HOST`, `fly certs add HOST`. An "
        "unknown authority: a proxy of this network intercepts TLS; use its trust store.",
    ),
    "plain_http": Symptom(
        "4",
        "the URL is redirected, and clients turn a redirected POST into a GET",
        "Use the https:// URL that it leads to, and keep force_https.",
    ),
    "edge": Symptom(
        "5",
        "the edge answers in place of the app",
        "`fly status` and `fly logs`: the machine is stopped or crashes, does not listen on "
        "0.0.0.0, or internal_port differs from TOOLBRIDGE_PORT. Under load only: hard_limit. "
        "First call only: min_machines_running = 1.",
    ),
    "wrong_path": Symptom(
        "6",
        "there is no MCP endpoint at this path",
        "Use the URL with /mcp; when /sse answers, the deployed build still has the old "
        "transport: redeploy.",
    ),
    "unknown_method": Symptom(
        "6",
        "a server of the newer MCP era only: it does not know `initialize`",
        "The path is right. Upgrade the client, or serve the handshake era too.",
    ),
    "client_headers": Symptom(
        "7",
        "the request is refused before authentication, for its method or headers",
        "The request sent Accept, Content-Type and MCP-Protocol-Version as the specification "
        "says: look for what rewrites headers on the way, and upgrade the older side.",
    ),
    "host_guard": Symptom(
        "8",
        "the Host or Origin guard refuses this host name",
        "Add the host to TOOLBRIDGE_ALLOWED_HOSTS (or set TOOLBRIDGE_PUBLIC_URL), and a "
        "browser's origin to TOOLBRIDGE_ALLOWED_ORIGINS.",
    ),
    "token_expired": Symptom(
        "9",
        "the token has expired",
        "Get a new token: `toolbridge token --sub USER` where the key is at hand.",
    ),
    "token_not_yet": Symptom(
        "9",
        "the token is not valid yet: its issuer's clock is ahead",
        "Correct the clock (NTP) of the machine that issues tokens.",
    ),
    "token_form": Symptom(
        "9",
        "the token is not one that the proxy can accept",
        "Use a JWT with alg HS256 (or RS256 with a JWKS), sub, exp and tenant_id.",
    ),
    "token_refused": Symptom(
        "9",
        "this token is refused, while one minted with the key works",
        "Get a new token from the issuer that the proxy trusts; compare key id, iss and aud.",
    ),
    "proxy_jwt_key": Symptom(
        "10",
        "the proxy refuses the token: its JWT key is not the issuer's",
        "Set TOOLBRIDGE_JWT_SECRET of the proxy to the issuer's key (the Go API's "
        "JWT_HS256_SECRET); for RS256 check TOOLBRIDGE_JWT_JWKS_URL; then compare iss and aud.",
    ),
    "jwt_key_both": Symptom(
        "10",
        "proxy and Go API both refuse the token: it is signed with another key than theirs",
        "Get a token from the issuer that both trust; where tokens are minted, correct "
        "TOOLBRIDGE_JWT_SECRET there. Give diagnose and doctor tokens of the same issuer.",
    ),
    "api_jwt_key": Symptom(
        "10",
        "the proxy accepts the token and the Go API refuses it: its JWT key differs",
        "Set the Go API's JWT_HS256_SECRET (issuer, audience) to what the proxy's "
        "TOOLBRIDGE_JWT_SECRET is, and restart it.",
    ),
    "header_not_forwarded": Symptom(
        "10",
        "the Go API refuses what the proxy sends and accepts a token from inside: the proxy does "
        "not pass the token on as it came",
        "See that the proxy sends the caller's Authorization unchanged, and that diagnose was "
        "given a token of the same issuer.",
    ),
    "tenant_mismatch": Symptom(
        "11",
        "the token is for another tenant than the app serves",
        "Use the app of the token's tenant, or correct TOOLBRIDGE_TENANT_ID (blanks, case) or the "
        "issuer's tenant_id claim.",
    ),
    "tenant_secret": Symptom(
        "12",
        "the tenant secrets of proxy and Go API differ",
        "Copy the Go API's TENANT_HEADER_SECRET again, without quotes or a line break, into "
        "TOOLBRIDGE_TENANT_HEADER_SECRET, and restart both. Compare fingerprints first "
        "(docs/diagnose.md); when they are equal, an ingress strips X-TB-* headers.",
    ),
    "clock_skew": Symptom(
        "12",
        "the clocks of proxy and Go API differ by more than the 300 s that are allowed",
        "Correct the clock (NTP, chrony) of the side that drifts; look again after a machine "
        "resumes from suspension.",
    ),
    "headers_stripped": Symptom(
        "12",
        "the secrets are equal and the Go API still refuses the headers: they are lost on the way",
        "Let the ingress pass X-TB-Tenant-ID, X-TB-Timestamp and X-TB-Signature unchanged; its "
        "access log or an echo service behind it shows what arrives.",
    ),
    "config_blank": Symptom(
        "12",
        "a setting of the proxy has blanks, a line break or quotes around its value",
        "Set it again without them (`fly secrets set NAME=VALUE`; `printf %s`, not `echo`).",
    ),
    "tenant_headers": Symptom(
        "12",
        "the Go API refuses the proxy's tenant headers: secret, clock, or an ingress",
        "Run diagnose inside, with a token, and give its output to --diagnose: it tells a wrong "
        "TENANT_HEADER_SECRET from clocks that differ.",
    ),
    "tenant_headers_sometimes": Symptom(
        "13",
        "the Go API refuses the tenant headers of some calls only",
        "Look for one API replica or machine with a wrong clock (compare pods in the logs), a "
        "clock that lags after suspension, and requests that are signed before they queue.",
    ),
    "not_enforced": Symptom(
        "14",
        "the Go API does not check tenant signatures",
        "Set TENANT_HEADER_SECRET in the Go API, or deploy the matching API; then run again.",
    ),
    "later_generation": Symptom(
        "14",
        "the Go API is of a later generation, without signatures",
        "Deploy the API and the proxy that belong together.",
    ),
    "api_dns": Symptom(
        "15",
        "the Go API's host name does not resolve inside the proxy's machine",
        "Correct TOOLBRIDGE_GO_API_BASE_URL; a .internal name resolves only in the private "
        "network of Fly.io.",
    ),
    "api_unreachable": Symptom(
        "16",
        "the proxy cannot connect to the Go API",
        "Refused: start the API or correct the port. Timed out: firewall, egress, or an address "
        "family without a route.",
    ),
    "api_other_service": Symptom(
        "16",
        "another service answers at TOOLBRIDGE_GO_API_BASE_URL",
        "Correct the base URL or the ingress rule: /healthz says `ok` and /v1/sync/info has a "
        "serverTime where the Go API is.",
    ),
    "api_tls": Symptom(
        "17",
        "the proxy does not accept the Go API's TLS certificate or handshake",
        "Renew the certificate, name the host that it is for, or give its authority in "
        "TOOLBRIDGE_UPSTREAM_CA_FILE; WRONG_VERSION_NUMBER means https to a plain port.",
    ),
    "api_redirect": Symptom(
        "18",
        "the Go API's base URL is redirected",
        "Set TOOLBRIDGE_GO_API_BASE_URL to where it leads (https, host, prefix); redirects are "
        "never followed.",
    ),
    "api_slow": Symptom(
        "19",
        "the Go API does not answer in time",
        "When /v1/sync/info is quick and sessions are slow, it is the database; when both are "
        "slow, the API or the network (nearest region: `fly regions list`); under load only, a "
        "pool or hard_limit.",
    ),
    "api_unavailable": Symptom(
        "19",
        "the Go API answers that it is not available (502, 503)",
        "Look at the API's pods and ingress: `kubectl get pods`, its log, its database.",
    ),
    "mcp_session": Symptom(
        "20",
        "MCP sessions are lost between machines",
        "Serve statelessly, run one machine, or pin sessions by fly-replay.",
    ),
    "sync_session": Symptom(
        "21",
        "the Go API does not find the sync session that it has just made",
        "Its replicas have session stores of their own: share the store or make routing sticky. "
        "One replica only: see that X-Sync-Session reaches it.",
    ),
    "foreign_session": Symptom(
        "22",
        "the Go API says 403: the session belongs to another user",
        "Key the proxy's session cache by issuer and subject; a single user's 403 means that the "
        "API maps the subject differently.",
    ),
    "epoch": Symptom(
        "23",
        "the Go API refuses every call for its sync epoch",
        "An epoch equal to the session's: X-Sync-Epoch is lost or malformed. A larger one: the "
        "proxy keeps a stale epoch; refresh session and epoch together.",
    ),
    "conflict": Symptom(
        "24",
        "somebody else changed the object meanwhile",
        "Read it again and retry with the new version: this is how it should be.",
    ),
    "lost_update": Symptom(
        "25",
        "an update with an old version is accepted: If-Match does not arrive",
        'Send If-Match as a decimal integer, never W/"…", and see that no ingress drops it.',
    ),
    "rate_limited": Symptom(
        "26",
        "this user is over the Go API's rate limit",
        "Wait for Retry-After; look for a client that loops.",
    ),
    "rate_shared": Symptom(
        "26",
        "two different users are over the rate limit: callers share one identity",
        "Look for a shared token or X-Debug-Sub, and for retries without end.",
    ),
    "api_error": Symptom(
        "27",
        "the Go API fails on requests (HTTP 500)",
        "Look in its log for the correlation id; on creation, a NUL character or a missing "
        "parent in the input gives 500 instead of 400.",
    ),
    "identity": Symptom(
        "28",
        "what was just created is not there",
        "Compare the Go API's address (`base_url`, apiVersion) and the token's sub with those "
        "that the client uses: another environment or identity.",
    ),
    "duplicates": Symptom(
        "29",
        "one create made more than one object",
        "Something retries POSTs: switch it off in client, proxy and ingress.",
    ),
    "oauth": Symptom(
        "30",
        "a client that looks for OAuth finds no protected-resource metadata",
        "Configure the client with a fixed Authorization header, or serve RFC 9728 metadata.",
    ),
    "header_dropped": Symptom(
        "31",
        "the token passes the HTTP layer and is missing in the tool",
        "The framework drops it: FastMCP 3 and later need "
        'get_http_headers(include={"authorization"}).',
    ),
    "cold_start": Symptom(
        "32",
        "the first call is slow, the following ones are not",
        "min_machines_running = 1; fetch JWKS at the start.",
    ),
    "config": Symptom(
        "33",
        "the configuration keeps the proxy from starting",
        "`fly secrets set` the variable that the line names; `fly secrets list` shows which exist.",
    ),
    "own_clock": Symptom(
        "34",
        "this machine's clock differs from the deployment's",
        "Correct the clock (NTP) here first: expiry and skew are judged by it.",
    ),
    "unsteady": Symptom(
        "guide: memory issues",
        "the app answers only sometimes: it restarts, or one machine is sick",
        "`fly logs` for `Out of memory` and exit codes. Memory: `fly scale vm shared-cpu-1x "
        "--memory 1024`, then look for a leak and for too many pooled connections.",
    ),
    "gate_open": Symptom(
        "P8",
        "the proxy lets in a token that it must refuse",
        "Take it off the network; run `toolbridge verify --url URL --only auth`.",
    ),
    "no_auth_needed": Symptom(
        "P8",
        "a tool call works without any token",
        "Take it off the network; run `toolbridge verify --url URL --only auth`.",
    ),
}
