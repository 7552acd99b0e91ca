"""Every property that a signer, as the proxy uses it, must have: section 5 of the catalogue."""

from support import signing_binding, signing_sending, signing_time
from support.signing_property import Property

SIGNER: tuple[Property, ...] = tuple(
    sorted(
        [*signing_binding.PROPERTIES, *signing_time.PROPERTIES, *signing_sending.PROPERTIES],
        key=lambda one: one.number,
    )
)
