"""Where GitHub is, from what an operator says."""

import pytest
from pydantic import ValidationError

from ringmain_core.cursors import Cursors
from ringmain_core.errors import ConfigurationError
from ringmain_core.services import Services
from ringmain_github.api import GitHub
from ringmain_github.provider import provider
from ringmain_github.settings import GitHubSettings


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://github.example.com", "https://github.example.com/api/v3"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/api/v3"),
    ],
)
def test_the_api_is_where_that_kind_of_github_has_it(url: str, api: str) -> None:
    assert GitHubSettings(url=url).api_url == api


@pytest.mark.parametrize(
    "url",
    [
        "http://github.example.com",
        "https://github.com/acme",
        "github.com",
        "https://a:b@github.com",
        "ftp://x",
    ],
)
def test_an_address_that_leaks_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match=r"write it like https://github\.example\.com"):
        GitHubSettings(url=url)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({}, "no credentials are set: give RINGMAIN_GITHUB_TOKEN"),
        ({"app_id": "1"}, "RINGMAIN_GITHUB_APP_ID and RINGMAIN_GITHUB_APP_PRIVATE_KEY go together"),
        (
            {"token": "x", "app_id": "1", "app_private_key": "x"},
            "Set RINGMAIN_GITHUB_TOKEN or RINGMAIN_GITHUB_APP_ID, not both",
        ),
    ],
)
def test_credentials_that_are_missing_or_contradict_each_other_are_named(
    given: dict[str, str], advice: str
) -> None:
    settings = GitHubSettings.model_validate(given)
    with pytest.raises(ConfigurationError, match=advice):
        GitHub(settings, Services(Cursors(b"0" * 32)))


def test_half_of_an_oauth_registration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="go together"):
        provider(GitHubSettings.model_validate({"oauth_client_id": "Iv1.x"}))
