"""Properties 1 to 22 and 25, where they are the signer's: the reference proxy has them all."""

import os
from unittest import mock

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from support.signing_properties import SIGNER
from support.signing_property import Property
from support.signing_strategies import any_text, secrets, tenants
from support.signing_subject import PROXY, configured
from toolbridge_proxy.jwks import Jwks, JwksUnavailableError
from toolbridge_proxy.settings import PREFIX, Settings, SettingsError, load

pytestmark = pytest.mark.property


@pytest.mark.parametrize("one", SIGNER, ids=str)
def test_the_proxys_signer_has_the_property(one: Property) -> None:
    """No example contradicts it."""
    one.check(PROXY)


def test_every_property_of_a_signer_is_there() -> None:
    """Properties 23 and 24 are the verifier's and the skew estimator's."""
    assert {*range(1, 23), 25} == {one.number for one in SIGNER}
    assert all((one.body.__doc__ or "").startswith(f"Property {one.number}") for one in SIGNER)


# An environment holds no NUL; bytes that are not UTF-8 are surrogate escapes in it.
environment_text = st.one_of(
    secrets,
    tenants,
    any_text,
    st.binary(min_size=1, max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
).filter(lambda text: "\0" not in text)


def from_environment(tenant: str, secret: str) -> Settings | str:
    values = {"GO_API_BASE_URL": "http://a.internal", "TENANT_ID": tenant}
    values |= {"TENANT_HEADER_SECRET": secret}
    variables = {PREFIX + name: value for name, value in values.items()}
    with mock.patch.dict(os.environ, variables, clear=True):
        try:
            return load()
        except SettingsError as problem:
            return str(problem)


@given(tenant=environment_text, secret=environment_text)
def test_property_14_the_environment_is_judged_like_the_values_themselves(
    tenant: str, secret: str
) -> None:
    """Property 14: what comes in by the environment is signed unchanged, or stops the start."""
    found, direct = from_environment(tenant, secret), configured(tenant, secret)

    if isinstance(found, str):
        assert direct is None
    else:
        assert direct is not None
        assert tenant == found.tenant_id
        assert secret == found.tenant_header_secret.get_secret_value()


@given(secret=environment_text.filter(lambda text: len(text) >= 8))
def test_property_15_a_refused_start_does_not_show_the_secret(secret: str) -> None:
    """Property 15: the one line that names the variable holds no value, good or bad."""
    problem = from_environment("not a tenant", secret)

    assert isinstance(problem, str)
    assert "TOOLBRIDGE_TENANT_ID" in problem
    assert secret not in problem.replace(PREFIX, "")


async def test_property_18_the_issuer_of_keys_is_sent_nothing_of_ours() -> None:
    """Property 18: the fetch of the key set carries no tenant header, token or session."""
    jwks = Jwks("https://issuer.test/keys", 300)
    with respx.mock() as router:
        route = router.get("https://issuer.test/keys").mock(return_value=httpx.Response(503))
        with pytest.raises(JwksUnavailableError):
            await jwks.key({"kid": "k"})
    await jwks.close()
    names = set(route.calls.last.request.headers)

    assert set() == {name for name in names if name.startswith(("x-", "authorization", "cookie"))}
