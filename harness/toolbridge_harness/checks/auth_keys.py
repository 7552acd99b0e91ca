"""RS256 by the issuer's key set: which tokens count, and which of its keys verify them."""

import asyncio
import json
from dataclasses import replace

from toolbridge_harness import forge, forge_keys
from toolbridge_harness.checks.auth_forged import refused_soon
from toolbridge_harness.issuer import AUDIENCE, ISSUER, key_set
from toolbridge_harness.jwks_server import PATH
from toolbridge_harness.model import Capability, Profile, Severity, Vantage
from toolbridge_harness.refusals import refused_tokens
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import require, require_equal

# Why the tokens of an issuer may not count at all.
NO_KEY_SET = ("auth-keys-accepted", "control-token")
KEY_SET = {Vantage.UPSTREAM, Vantage.RESTART}


@check(
    "auth-keys-accepted",
    "A token signed by a key of the issuer's set is served",
    severity=Severity.CRITICAL,
    catalogue="AUTH-00",
    source="RFC 7517 §4.5, §5; RFC 8725 §3.1",
    remedy="Fetch TOOLBRIDGE_JWT_JWKS_URL and verify RS256 with the key that kid names.",
    why="With an issuer of its own a deployment has no other tokens than these.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=("control-token",),
    broken="tokens of the configured issuer are refused: its key set is not used as it should be",
)
async def issuers_tokens_are_served(target: Target, caller: Caller) -> None:
    """Publishes an older key before the one that signs, and one without alg and use after it."""
    async with key_set(target) as issuer:
        plain = issuer.second.jwk(kid=f"plain-{issuer.second.kid}", alg=..., use=...)
        await target.mock.trust_keys({"keys": [plain]})
        issuer.server.published = [issuer.second.jwk(), issuer.key.jwk(), plain]
        async with issuer.proxy() as proxy:
            signer = proxy.caller()
            await signer.ok("list_notes", {"limit": 1})
            token = issuer.second.token(forge.altered(signer.token), kid=plain["kid"])
            reply = await signer.call("list_notes", {"limit": 1}, token=token)
            require(reply.ok, "list_notes to succeed by a key without alg and use", reply.brief)


@check(
    "auth-keys-forged",
    "In a token by the issuer's key set, only the key that kid names counts, and only as RSA",
    severity=Severity.CRITICAL,
    catalogue=("AUTH-11", "AUTH-13"),
    source="RFC 7515 §5.2; RFC 8725 §2.1, §3.1; CVE-2015-9235",
    remedy="Verify the signature with the named key, and only by the algorithm it is for.",
    why="The key set is public: whoever takes a name or a public key for proof lets everybody in.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    explained_by=(*NO_KEY_SET, "auth-wrong-secret"),
    broken="tokens are accepted that anybody who reads the public key set can make",
)
async def forged_with_public_keys(target: Target, caller: Caller) -> None:
    """Signs with a key of its own, and with HMACs keyed with the published key in all spellings."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        signer, kid = proxy.caller(), issuer.key.kid
        payload = forge.altered(signer.token)
        await asyncio.to_thread(forge_keys.attacker_key)
        tokens = [
            ("RS256 by another key under the published kid", forge_keys.rs256(payload, kid=kid)),
            ("RS256 by another key without kid", forge_keys.rs256(payload)),
            ("a good token without its signature", _unsigned(signer.token)),
        ]
        text = json.dumps(issuer.key.jwk())
        for name, secret in forge_keys.encodings(issuer.key.private.public_key(), text):
            for more in ({"kid": kid}, {}):
                what = f"HS256 {'with' if more else 'without'} kid, keyed with the key as {name}"
                tokens.append((what, forge_keys.hs256(payload, secret, **more)))
        await refused_tokens(signer, tokens)


def _unsigned(token: str | None) -> str:
    return (token or "").rpartition(".")[0] + "."


@check(
    "auth-keys-purpose",
    "Each key of the set verifies RS256 signatures or nothing, as it says itself",
    severity=Severity.HIGH,
    catalogue=("AUTH-12", "AUTH-14"),
    source="RFC 7517 §4.1, §4.2, §4.4; RFC 8725 §3.1",
    remedy="Use kty RSA keys alone, with use sig and alg RS256 where they say one; allow RS256.",
    why="A set serves many purposes: other people hold the keys that are for other things.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-forged"),
    broken="keys of the issuer's set are used for what they are not meant for",
)
async def keys_serve_their_purpose(target: Target, caller: Caller) -> None:
    """Publishes a symmetric, an encryption and an RS512 key, and signs by each; then by others."""
    async with key_set(target) as issuer:
        shared = target.random.randbytes(32)
        oct_key = {"kty": "oct", "k": forge.segment(shared), "kid": "oct", "alg": "HS256"}
        enc = issuer.second.jwk(kid="enc", use="enc", alg=...)
        rs512 = issuer.second.jwk(kid="rs512", alg="RS512")
        issuer.server.published = [issuer.key.jwk(alg=...), oct_key, enc, rs512]
        async with issuer.proxy() as proxy:
            signer = proxy.caller()
            payload, second = forge.altered(signer.token), issuer.second
            tokens = [
                ("HS256 by an oct key of the set", forge_keys.hs256(payload, shared, kid="oct")),
                ("RS256 by a key with use enc", second.token(payload, kid="enc")),
                ("RS256 by a key with alg RS512", second.token(payload, kid="rs512")),
                ("RS512 by a key with alg RS512", second.token(payload, kid="rs512", alg="RS512")),
            ]
            tokens += [
                (f"{alg} by the key for RS256", issuer.key.token(payload, alg=alg))
                for alg in ("PS256", "RS384", "RS512", "ES256")
            ]
            await refused_tokens(signer, tokens)


@check(
    "auth-keys-no-kid",
    "Where several keys could be meant, a token without kid is refused",
    severity=Severity.LOW,
    catalogue="AUTH-19",
    source="RFC 7515 §4.1.4; RFC 7517 §4.5",
    remedy="Without kid take the only key of the set, or none; never try one key after another.",
    why="During a rotation the same token would work or not, depending on the order of the keys.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=NO_KEY_SET,
    broken="tokens without kid are verified by whichever key of the set comes first",
    seconds=60,  # two starts
)
async def no_kid_is_no_choice(target: Target, caller: Caller) -> None:
    """Signs without kid by each of two keys, then asks a proxy that knows only one, three times."""
    async with key_set(target) as issuer:
        async with issuer.proxy() as proxy:
            signer = proxy.caller()
            await signer.control()
            bare = issuer.key.token(forge.altered(signer.token), kid=...)
            call = replace(signer.request("list_notes", {"limit": 1}), token=bare)
            statuses = {(await proxy.send(call)).status for _ in range(3)}
            require(statuses in ({200}, {401}), "always HTTP 200, or always 401", statuses)
        issuer.server.published.append(issuer.second.jwk())
        async with issuer.proxy() as proxy:
            signer = proxy.caller()
            payload = forge.altered(signer.token)
            tokens = [
                (f"a token without kid by key {number} of two", key.token(payload, kid=...))
                for number, key in enumerate((issuer.key, issuer.second), 1)
            ]
            await refused_tokens(signer, tokens)


_KEY_IDS = (
    "x' UNION SELECT 'k'-- -",
    "|sleep 5",
    "a\r\nX-Injected: 1",
    "a\x00b",
    "../jwks.json",
    f"..{PATH}?x=",
    "/dev/null",
)


@check(
    "auth-keys-hints",
    "A token cannot make the proxy fetch keys from anywhere but the configured address",
    severity=Severity.HIGH,
    catalogue=("AUTH-16", "AUTH-18"),
    source="RFC 7515 §4.1.2, §4.1.4, §4.1.5; RFC 8725 §3.10; CWE-918",
    remedy="Fetch the configured URL as it is; compare kid with what came, and ignore jku and x5u.",
    why="Whoever chooses the address chooses the key, and makes the proxy call inside hosts.",
    needs=KEY_SET,
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=(*NO_KEY_SET, "auth-keys-forged"),
    broken="the proxy asks for keys where a token says, or puts a token's kid into the address",
)
async def hints_are_not_followed(target: Target, caller: Caller) -> None:
    """Serves the attacker's key on another host, and names it in kid, jku and x5u."""
    async with key_set(target) as issuer, issuer.proxy() as proxy:
        public = (await asyncio.to_thread(forge_keys.attacker_key)).public_key()
        url, known = issuer.elsewhere.url, forge_keys.jwk(public)
        named = [*_KEY_IDS, url, issuer.key.kid]
        issuer.elsewhere.published = [known | {"kid": kid} for kid in ("evil", *named)]
        signer = proxy.caller()
        payload = forge.altered(signer.token)
        tokens = [(f"kid {kid!r}", forge_keys.rs256(payload, kid=kid)) for kid in named]
        for name in ("jku", "x5u"):
            for kid in ("evil", issuer.key.kid):
                token = forge_keys.rs256(payload, kid=kid, **{name: url})
                tokens.append((f"{name} and kid {kid!r}", token))
        await refused_soon(signer, tokens)
        good = issuer.key.token(payload, jku=url, x5u=url)
        reply = await signer.call("list_notes", {"limit": 1}, token=good)
        require(reply.status in (200, 401), "HTTP 200 or 401 for a good token", reply.brief)
        require_equal([], issuer.elsewhere.fetches, "requests for the address in a token:")
        asked = {fetch.target for fetch in issuer.server.fetches}
        require_equal({PATH}, asked, "paths asked of the key set's host:")


@check(
    "auth-keys-leftover-secret",
    "Beside a key set, a left-over JWT secret signs nothing",
    severity=Severity.HIGH,
    catalogue="AUTH-62",
    source="RFC 8725 §3.1; check catalogue AUTH-62",
    remedy="With TOOLBRIDGE_JWT_JWKS_URL, take HS256 only if TOOLBRIDGE_JWT_ALLOW_BOTH says so.",
    why="The old secret is known to more people than the issuer's key, and nobody watches it.",
    needs=KEY_SET | {Vantage.MINT},
    capability=Capability.KEY_SETS,
    profile=Profile.FULL,
    explained_by=NO_KEY_SET,
    broken="HS256 tokens are accepted although the deployment has moved to the issuer's keys",
)
async def leftover_secret_signs_nothing(target: Target, caller: Caller) -> None:
    """Starts the proxy with both; one that refuses to start is as safe."""
    secret = target.deployment.tokens.secrets[0]
    async with key_set(target) as issuer:
        settings = issuer.settings | {"TOOLBRIDGE_JWT_SECRET": secret}
        async with target.attempted(settings) as attempt:
            if not await attempt.comes_up():
                return
            proxy = issuer.seen(replace(target, deployment=attempt.deployment))
            signer = proxy.caller()
            payload = forge.altered(signer.token, iss=ISSUER, aud=AUDIENCE)
            key = secret.encode()
            tokens = [
                ("HS256 by the left-over secret", forge_keys.hs256(payload, key)),
                ("the same, with a kid", forge_keys.hs256(payload, key, kid=issuer.key.kid)),
            ]
            await refused_tokens(signer, tokens)
