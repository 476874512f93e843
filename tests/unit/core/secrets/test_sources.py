from typing import Any

import pytest

from ringmain_core.secrets import Reference
from ringmain_core.secrets.sources import OutOfReach, Sources
from ringmain_core.secrets.vault import Vault


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The places that Vault was asked for; it is out of reach from the place `secret/down` on."""
    places: list[str] = []

    def read(_: Vault, place: str) -> dict[str, Any]:
        places.append(place)
        if place == "secret/down":
            raise OutOfReach("Vault is not ready")
        return {"user": f"user of {place}", "password": f"password of {place}"}

    monkeypatch.setattr(Vault, "read", read)
    monkeypatch.setenv("RINGMAIN_VAULT_ADDR", "http://127.0.0.1:1")
    monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", "token")
    return places


def resolve(sources: Sources, *references: Reference) -> dict[str, str]:
    return {str(reference): str(value) for reference, value in sources.resolve(references).items()}


def of_vault(place: str, key: str) -> Reference:
    return Reference("vault", f"secret/{place}", key)


def test_a_place_is_asked_once_in_a_round_whatever_refers_to_it(asked: list[str]) -> None:
    sources = Sources()
    pair = [of_vault("db", "user"), of_vault("db", "password")]
    found = {
        "vault:secret/db#user": "user of secret/db",
        "vault:secret/db#password": "password of secret/db",
    }
    assert [resolve(sources, *pair), resolve(sources, *pair)] == [found, found]
    assert asked == ["secret/db", "secret/db"]


def test_a_manager_that_is_out_of_reach_is_not_asked_for_more_in_the_same_round(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELSEWHERE", "from a variable")
    sources = Sources()
    round_of = [of_vault("up", "user"), of_vault("down", "user"), of_vault("more", "user")]
    assert resolve(sources, *round_of, Reference("env", "ELSEWHERE")) == {
        "vault:secret/up#user": "user of secret/up",
        "vault:secret/down#user": "Vault is not ready",
        "vault:secret/more#user": "Vault is not ready",
        "env:ELSEWHERE": "from a variable",
    }
    assert asked == ["secret/up", "secret/down"]
    assert resolve(sources, of_vault("more", "user")) == {"vault:secret/more#user": "user of secret/more"}
