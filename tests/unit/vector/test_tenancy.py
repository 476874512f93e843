"""An operator names a tenant as callers are known, and nothing is taken in for nobody."""

import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.principal import LOCAL, Principal
from ringmain_vector.domain import NOBODY
from ringmain_vector.settings import VectorSettings
from ringmain_vector.tenancy import names_of, tenant_named, tenant_to_fill

OFF = VectorSettings(tenants="off")
AGENT = VectorSettings(tenants="agent")
CLAIM = VectorSettings(tenants="claim")


@pytest.mark.parametrize(
    ("given", "tenant"),
    [
        ("report-bot", Principal("report-bot", "api_key").owner),
        ("api_key:report-bot", Principal("report-bot", "api_key").owner),
        ("idp/ann", Principal("idp/ann", "jwt").owner),
        ("api_key:idp/ann", Principal("idp/ann", "api_key").owner),
        ("local", LOCAL.owner),
    ],
)
def test_an_agent_is_named_by_its_id(given: str, tenant: str) -> None:
    assert tenant_named(given, AGENT) == tenant
    assert given in names_of(tenant, AGENT)


def test_an_id_that_could_be_two_callers_means_one() -> None:
    assert names_of("api_key:idp/ann", AGENT) == ["api_key:idp/ann"]


def test_a_claims_value_is_taken_as_it_is() -> None:
    assert tenant_named("acme", CLAIM) == "claim:acme"
    assert names_of("claim:acme", CLAIM) == ["acme"]
    assert names_of("claim:claim:acme", CLAIM) == ["claim:acme"]


def test_where_there_are_no_tenants_there_is_one_name() -> None:
    assert set(names_of(NOBODY, OFF)) == {""}
    assert names_of("claim:acme", OFF) == []


def test_a_tenant_is_named_where_there_are_some_and_only_there() -> None:
    assert tenant_to_fill("acme", CLAIM) == "claim:acme"
    assert tenant_to_fill(None, OFF) == NOBODY
    with pytest.raises(ConfigurationError, match="TENANTS is off"):
        tenant_to_fill("acme", OFF)
    for settings, who in ((CLAIM, "the value of the claim `tenant`"), (AGENT, "an agent's id")):
        for given in (None, ""):
            with pytest.raises(ConfigurationError, match=f"Say with --tenant whose the files are: {who}"):
                tenant_to_fill(given, settings)
