"""Every broken way of signing, by its id in the list of mutants, and who must notice it."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from support import signing_mutant_clients as clients
from support import signing_mutant_signers as signers
from support.signing_mutant_signers import Steps, raw_mac, step
from support.signing_strategies import NS_PER_MS, NS_PER_SECOND
from support.signing_subject import Subject, unchecked


@dataclass(frozen=True)
class Mutant:
    """A broken subject; `killers` are property numbers that must notice, none for an equivalent.

    `only` says that no other property can notice.
    """

    id: str
    subject: Subject
    killers: frozenset[int]
    only: bool = False

    def __str__(self) -> str:
        return self.id


def mutant(id_: str, *killers: int, only: bool = False, **parts: Any) -> Mutant:
    return Mutant(id_, Subject(id_, **parts), frozenset(killers), only)


def _stamp(function: Callable[[int], object]) -> type[Steps]:
    return step("stamp", lambda self, ns: str(function(ns)))


def _mac(function: Callable[[Steps, bytes], str]) -> type[Steps]:
    return step("mac", function)


MUTANTS = (
    mutant("unchanged", signer=Steps),
    mutant("M-S01 seconds", 1, 2, 3, 8, 9, 19, signer=_stamp(lambda ns: ns // NS_PER_SECOND)),
    mutant("microseconds", 1, 2, 3, 8, 9, 19, signer=_stamp(lambda ns: ns // 1000)),
    mutant("nanoseconds", 1, 2, 3, 8, 9, 19, signer=_stamp(lambda ns: ns)),
    mutant("float text", 1, 2, 3, 8, signer=_stamp(lambda ns: ns / NS_PER_MS)),
    mutant("whole seconds", 2, 8, signer=_stamp(lambda ns: ns // NS_PER_SECOND * 1000)),
    mutant("leading zero", 2, 3, signer=_stamp(lambda ns: f"0{ns // NS_PER_MS}")),
    mutant("plus sign", 2, 3, signer=_stamp(lambda ns: f"+{ns // NS_PER_MS}")),
    mutant("M-S02 float_mul_int", signer=_stamp(lambda ns: int(ns / 1e9 * 1000))),
    mutant("ceil rounding", signer=_stamp(lambda ns: -(-ns // NS_PER_MS))),
    mutant("M-S03 cached for 10 minutes", 9, signer=signers.CachedTenMinutes),
    mutant("M-S04 signed when built", 9, only=True, upstream=clients.SignsWhenBuilt),
    mutant("M-S05 upper case", 1, 2, 3, signer=_mac(lambda s, m: raw_mac(s, m).hex().upper())),
    mutant(
        "M-S05 base64",
        1,
        2,
        3,
        signer=_mac(lambda s, m: base64.b64encode(raw_mac(s, m)).decode()),
    ),
    mutant(
        "M-S06 sha1", 1, 2, 3, signer=_mac(lambda s, m: hmac.new(s.key(), m, "sha1").hexdigest())
    ),
    mutant(
        "M-S06 sha512",
        1,
        2,
        3,
        signer=_mac(lambda s, m: hmac.new(s.key(), m, "sha512").hexdigest()),
    ),
    mutant(
        "M-S06 plain sha256",
        1,
        2,
        signer=_mac(lambda s, m: hashlib.sha256(s.key() + m).hexdigest()),
    ),
    mutant("sha256 without key", 1, 2, 6, signer=_mac(lambda s, m: hashlib.sha256(m).hexdigest())),
    mutant("M-S07 secret stripped", 2, 6, signer=step("key", lambda s: s._key.strip())),
    mutant("M-S07 secret decoded", 1, 2, signer=step("key", signers.b64decoded)),
    mutant("secret cut to the block", 2, signer=step("key", lambda s: s._key[:64])),
    mutant(
        "secret in latin-1",
        1,
        2,
        signer=step("key", lambda s: s._secret.encode("latin-1", "replace")),
    ),
    mutant("secret with a newline", 1, 2, signer=step("key", lambda s: s._key + b"\n")),
    mutant("M-S08 naive UTC", 11, only=True, signer=step("stamp", signers.naive_utc)),
    mutant("M-S09 wall clock at start", 9, 10, signer=signers.WallAtStart),
    mutant("M-S09 never back", 10, only=True, signer=signers.NeverBack),
    mutant(
        "M-S10 tenant split at its colon",
        1,
        2,
        7,
        signer=step("signed_tenant", lambda s: s.tenant().split(":")[0]),
    ),
    mutant(
        "M-S11 lower case in the MAC",
        1,
        2,
        signer=step("signed_tenant", lambda s: s.tenant().lower()),
    ),
    mutant("M-S11 lower case", 1, 2, signer=step("tenant", lambda s: s._tenant_id.lower())),
    mutant(
        "M-S11 encoded in the MAC", 1, 2, signer=step("signed_tenant", lambda s: quote(s.tenant()))
    ),
    mutant("M-S11 encoded", 1, 2, signer=step("tenant", lambda s: quote(s._tenant_id))),
    mutant("order", 1, 2, signer=step("message", lambda s, tenant, stamp: f"{stamp}:{tenant}")),
    mutant("separator", 1, 2, signer=step("message", lambda s, tenant, stamp: f"{tenant}.{stamp}")),
    mutant("tenant not signed", 1, 2, signer=step("message", lambda s, tenant, stamp: stamp)),
    mutant("time not signed", 1, 2, signer=step("message", lambda s, tenant, stamp: tenant)),
    mutant("M-S12 signs for any host", 18, upstream=clients.SignsForAnyHost),
    mutant("shared HMAC object", 17, signer=signers.SharedMac),
    mutant("torn between threads", 17, only=True, signer=signers.Torn),
    mutant("append", 12, 13, signer=signers.Appends),
    mutant("setdefault", 12, 13, signer=signers.SetsDefault),
    mutant("case-sensitive merge", 12, 13, signer=signers.CaseSensitive),
    mutant("merged under", 12, only=True, upstream=clients.SignsFirst),
    mutant("no tenant validation", 14, only=True, configure=unchecked),
    mutant("repr leak", 15, only=True, signer=signers.ReprLeak),
    mutant("error leak", 15, only=True, signer=signers.ErrorLeak),
    mutant("secret logged", 15, only=True, signer=signers.LogsSecret),
    mutant("signature logged", 15, only=True, signer=signers.LogsSignature),
    mutant("clock corrected by Date", 25, only=True, upstream=clients.CorrectsItsClock),
)
