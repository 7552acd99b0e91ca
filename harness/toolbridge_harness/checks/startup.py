"""How the proxy starts: what stops it, and what it makes of the Go API's address."""

from dataclasses import replace

from toolbridge_contract.signing import SIGNATURE_HEADER, TENANT_HEADER, TIMESTAMP_HEADER
from toolbridge_harness.errors import UsageProblem
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.stack import Mock, running_mock
from toolbridge_harness.starts import (
    BASE_URL,
    SECONDS,
    TENANT_ID,
    TENANT_SECRET,
    BadStart,
    require_refused,
    shown,
    two_at_a_time,
)
from toolbridge_harness.target import NOTHING_UPSTREAM, Caller, Target
from toolbridge_harness.verdicts import Untestable, require, require_equal

_LOOPBACK = "127.0.0.1"


@check(
    "startup-required",
    "A required setting that is missing or empty stops the start",
    severity=Severity.HIGH,
    catalogue="DEP-04",
    source="OWASP API8:2023; DESIGN: settings",
    remedy="Check all settings before listening; end with one line that names the variable.",
    why="A proxy that starts without them looks healthy, and fails every call of every user.",
    needs={Vantage.TOKENS, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("tenant-setting",),
    broken="the proxy starts without settings that it cannot work without",
)
async def required_settings_stop_the_start(target: Target, caller: Caller) -> None:
    """Leaves address and secret out, and empties them; the tenant is tenant-setting's."""
    await caller.control()
    starts = [
        BadStart(f"{name} {what}", {name: value}, name)
        for name in (BASE_URL, TENANT_SECRET)
        for what, value in (("unset", None), ("empty", ""))
    ]
    await require_refused(target, starts)


@check(
    "startup-placeholder",
    "A required setting that is still the documentation's placeholder stops the start",
    severity=Severity.HIGH,
    catalogue=("DEP-04", "SIG-09"),
    source="OWASP API8:2023; CWE-1392",
    remedy="Refuse values in pointed brackets, naming the variable.",
    why="A secret that stands in a public guide is no secret, and a proxy that has it signs.",
    needs={Vantage.TOKENS, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("startup-required", "control-token"),
    broken="the proxy starts with a placeholder for a setting",
)
async def placeholders_stop_the_start(target: Target, caller: Caller) -> None:
    """Sets secret and tenant to a text in pointed brackets, as guides have them."""
    await caller.control()
    value = "<same-as-in-the-cluster-of-this-environment>"
    names = (TENANT_SECRET, TENANT_ID)  # an address in brackets is one without a scheme
    await require_refused(
        target, [BadStart(f"{name} a placeholder", {name: value}, name) for name in names]
    )


@check(
    "startup-base-url-refused",
    "An address of the Go API that cannot be right, or would send tokens in clear, stops the start",
    severity=Severity.HIGH,
    catalogue="DEP-04",
    source="OWASP API8:2023; OAuth 2.1 §1.5; DESIGN: rulings (plain-http upstream)",
    remedy="Accept an absolute http or https URL without blanks; http for private hosts alone.",
    why="A wrong address is found by the first user; http shows every token to the network.",
    needs={Vantage.TOKENS, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("startup-required",),
    broken="the proxy starts with an address of the Go API that it must refuse",
)
async def bad_addresses_stop_the_start(target: Target, caller: Caller) -> None:
    """Starts with an address without a scheme, with http to a public host, and with a blank."""
    await caller.control()
    good = target.deployment.mock_address
    bad = {
        "a host without a scheme": "go-api.invalid",
        "http to a public name": "http://go-api.invalid",  # RFC 6761: nobody answers there
        "a blank at its end": f"http://{good} ",
    }
    starts = [
        BadStart(f"{BASE_URL}: {what}", {BASE_URL: url}, BASE_URL) for what, url in bad.items()
    ]
    await require_refused(target, starts)


async def _reaches(target: Target, what: str, url: str, prefix: str, mock: Mock | None) -> None:
    """Require signed requests under exactly `prefix`, and success where the mock serves it."""
    async with target.restarted({BASE_URL: url}, mock) as other:
        caller = other.caller()
        reply = await caller.call("list_notes", {"limit": 1})
        requests = await caller.upstream()
        if not requests and not reply.ok:
            require(False, f"a request upstream with {what}", reply.brief)
        for request in requests:
            path = request.target.removeprefix(prefix)
            joined = request.target.startswith(prefix) and path.startswith("/v1/")
            require(joined, f"{prefix}/v1/… requested with {what}", request.target)
            for name in (TENANT_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER):
                require(request.header(name), f"{name} sent with {what}", request.target)
        if not prefix:
            require(reply.ok, f"a call to succeed with {what}", reply.brief)


@check(
    "startup-base-url",
    "The Go API is reached whatever the spelling of its address",
    severity=Severity.MEDIUM,
    catalogue=("DEP-11", "SIG-18"),
    source="RFC 3986 §3.2.2, §5.2, §6.2",
    remedy="Join the configured path, without its last slash, and the route; "
    "leave the host to a URL library.",
    why="`//v1/notes` or a lost prefix is a 404 for every call, on one deployment only.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token", "signing-every-request"),
    broken="the address of the Go API only works in one spelling",
)
async def every_spelling_reaches_the_api(target: Target, caller: Caller) -> None:
    """Ends the address with a slash, adds a path, spells the host in capitals and as IPv6."""
    await caller.control()
    address = target.deployment.mock_address
    spellings = [
        ("a slash at the end", f"http://{address}/", "", None),
        ("a path", f"http://{address}/some/api", "/some/api", None),
        ("a path and a slash", f"http://{address}/api/", "/api", None),
    ]
    shares_loopback = address.startswith(f"{_LOOPBACK}:")
    if shares_loopback:
        shouted = address.replace(_LOOPBACK, "LOCALHOST")
        spellings.append(("a host in capitals", f"HTTP://{shouted}", "", None))
    await two_at_a_time(_reaches, [(target, *spelling) for spelling in spellings])
    if shares_loopback:
        await _reaches_ipv6(target)


async def _reaches_ipv6(target: Target) -> None:
    """Put the proxy before a mock on ::1; where the machine has no IPv6, there is none to claim."""
    try:
        async with running_mock("::1") as mock:
            target.deployment.redactor.add(mock.jwt_secret)
            target.deployment.redactor.add(mock.tenant_secret)
            await _reaches(target, "an IPv6 address", mock.url, "", mock)
    except UsageProblem:
        return


@check(
    "startup-url-credentials",
    "A password in the address of the Go API is refused or never shown",
    severity=Severity.LOW,
    catalogue="SIG-18",
    source="RFC 3986 §3.2.1, §7.5; CWE-532",
    remedy="Refuse an address with user:password@, naming the variable and not the value.",
    why="Addresses are printed everywhere: in logs, in errors, in metrics.",
    needs={Vantage.MINT, Vantage.UPSTREAM, Vantage.RESTART, Vantage.LOGS},
    profile=Profile.FULL,
    seconds=SECONDS,
    explained_by=("control-token",),
    broken="a password in the address of the Go API is printed",
)
async def passwords_in_the_address_stay_secret(target: Target, caller: Caller) -> None:
    """Starts with user:password@ in the address; calls, and provokes an error, if it serves."""
    await caller.control()
    password = f"{target.random.getrandbits(96):024x}"
    target.deployment.redactor.add(password)
    url = f"http://someone:{password}@{target.deployment.mock_address}"
    async with target.attempted({BASE_URL: url}) as attempt:
        if await attempt.comes_up():
            other = replace(target, deployment=attempt.deployment).caller()
            replies = [await other.call("list_notes", {"limit": 1})]
            if not await other.upstream():
                raise Untestable(NOTHING_UPSTREAM)
            await other.inject(path="/v1/notes.*", kind="reset", times=2)
            replies.append(await other.call("list_notes", {"limit": 1}))
            told = [reply.brief for reply in replies if shown(password, reply.text)]
            require_equal([], told, "answers that show the password:")
        found = shown(password, attempt.log)
        require(not found, "a log without the password of the address", found)
