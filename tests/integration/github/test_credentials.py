"""A GitHub App's tokens are made at the repository's owner, kept, and renewed."""

from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from integration.github.working import connected, settings_for, text_of
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.testing import bench
from ringmain_github import connector, credentials
from ringmain_github.settings import GitHubSettings
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

ISSUE = "/repos/acme/widgets/issues/1"
TOKENS = "/app/installations/*/access_tokens"


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """The app's private and public key, PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def app_settings(fake: FakeGitHub, keys: tuple[str, str], **more: Any) -> GitHubSettings:
    private, public = keys
    fake.app(42, public, installations=["acme"])
    return GitHubSettings(url=fake.url, app_id="42", app_private_key=SecretStr(private), **more)


async def test_an_apps_token_is_made_once_and_used_until_its_end(
    fake: FakeGitHub, keys: tuple[str, str]
) -> None:
    async with connected(app_settings(fake, keys)) as github:
        for number in (1, 2, 3):
            await github.get(f"/repos/acme/widgets/issues/{number}")
    assert len(fake.asked("POST", TOKENS)) == 1


async def test_a_token_that_is_about_to_end_is_renewed(fake: FakeGitHub, keys: tuple[str, str]) -> None:
    fake.app_tokens_last = 60  # less than what is kept in reserve
    async with connected(app_settings(fake, keys)) as github:
        await github.get(ISSUE)
        await github.get(ISSUE)
    assert len(fake.asked("POST", TOKENS)) == 2


async def test_a_token_that_was_taken_back_is_made_anew(fake: FakeGitHub, keys: tuple[str, str]) -> None:
    async with connected(app_settings(fake, keys)) as github:
        await github.get(ISSUE)
        for token in [token for token, made in fake.tokens.items() if made.kind == "installation"]:
            fake.revoke(token)
        assert (await github.get("/repos/acme/widgets/issues/2")).json()["number"] == 2
    assert len(fake.asked("POST", TOKENS)) == 2


async def test_an_owner_without_the_app_is_named(fake: FakeGitHub, keys: tuple[str, str]) -> None:
    async with connected(app_settings(fake, keys)) as github:
        for _ in range(3):
            with pytest.raises(NotFound, match="The GitHub App is not installed at `other`"):
                await github.get("/repos/other/thing")
    assert len(fake.asked("GET", "/app/installations")) == 2  # the page, and that there is no other


async def test_an_owner_where_the_app_was_installed_meanwhile_is_found(
    fake: FakeGitHub, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_NEW_ONES_SEEN_AFTER", 0.0)
    async with connected(app_settings(fake, keys)) as github:
        with pytest.raises(NotFound, match="is not installed at `other`"):
            await github.get("/repos/other/thing")
        fake.app(42, keys[1], installations=["other"])
        with pytest.raises(NotFound, match="There is no such thing on GitHub"):
            await github.get("/repos/other/thing")


async def test_a_key_that_is_none_is_said_without_showing_it(fake: FakeGitHub) -> None:
    settings = GitHubSettings(url=fake.url, app_id="42", app_private_key=SecretStr("no key at all"))
    async with connected(settings) as github:
        with pytest.raises(UpstreamRefused) as caught:
            await github.get(ISSUE)
    assert "private key cannot be read" in caught.value.message
    assert "no key at all" not in caught.value.message


async def whoami(settings: GitHubSettings, arguments: Mapping[str, Any] | None = None) -> str:
    async with bench(connector, settings=settings) as at:
        result = await at.client.call_tool("whoami", dict(arguments or {}))
    assert not result.is_error
    return text_of(result)


async def test_whoami_says_what_an_app_was_not_given(fake: FakeGitHub, keys: tuple[str, str]) -> None:
    fake.app_permissions = {
        "metadata": "read",
        "contents": "write",
        "issues": "read",
        "pull_requests": "write",
    }
    said = await whoami(app_settings(fake, keys), {"repo": "acme/widgets"})
    assert "credentials: app installation" in said
    assert "permissions: contents: write, issues: read, metadata: read, pull_requests: write" in said
    assert (
        "lacking: save_issue: issues: write, comment: issues: write, "
        "get_pull_request: checks: read, statuses: read"
    ) in said


async def test_whoami_says_what_a_classic_tokens_scopes_lack(fake: FakeGitHub) -> None:
    full = await whoami(settings_for(fake.url, fake.token()))
    assert "login: octocat" in full
    assert "scopes: repo, workflow, read:org" in full
    assert "lacking" not in full
    assert "core: 4,9" in full
    weak = await whoami(settings_for(fake.url, fake.token("weak", scopes=["gist"])))
    assert "read_file: repo, for more than reading what is public" in weak


async def test_whoami_finds_out_what_a_fine_grained_token_cannot_read(fake: FakeGitHub) -> None:
    token = fake.token("fine", kind="fine", permissions={"contents": "read", "pull_requests": "read"})
    unknown = await whoami(settings_for(fake.url, token))
    assert "give a `repo` to find out" in unknown
    said = await whoami(settings_for(fake.url, token), {"repo": "acme/secret"})
    assert "list_issues: issues: read" in said
    assert "list_runs: actions: read" in said
    assert "read_file" not in said


async def findings(settings: GitHubSettings) -> list[tuple[str, str]]:
    async with connected(settings) as github:
        return [(check.state, f"{check.what}: {check.detail}") async for check in connector.diagnose(github)]


async def test_doctor_says_who_the_token_is_and_what_it_lacks(fake: FakeGitHub) -> None:
    good = await findings(settings_for(fake.url, fake.token()))
    assert [state for state, _ in good] == ["ok", "ok", "ok"]
    assert good[0][1] == f"GitHub at {fake.url}: it accepts the token of octocat"
    assert good[2][1] == "permissions: enough for every tool"
    weak = await findings(settings_for(fake.url, fake.token("weak", scopes=["repo"])))
    assert weak[2] == (
        "warning",
        "permissions: missing for commit_files: workflow, for .github/workflows",
    )


async def test_doctor_tells_a_refused_token_from_a_host_that_is_not_there(fake: FakeGitHub) -> None:
    ((state, said),) = await findings(settings_for(fake.url, "ghp_unknown"))
    assert state == "failed"
    assert "does not accept the token" in said
    ((state, said),) = await findings(settings_for("http://127.0.0.1:1", "ghp_unknown"))
    assert state == "failed"
    assert "cannot be reached" in said


async def test_a_fence_is_held_against_the_name_that_github_gives_the_repository(fake: FakeGitHub) -> None:
    policy = """
[roles.reader]
allow = ["github:read"]
fence = { "github.repo" = ["acme/widgets"] }
[[agents]]
id = "local"
roles = ["reader"]
"""
    settings = settings_for(fake.url, fake.token())
    async with bench(connector, settings=settings, policy=policy) as at:
        inside = await at.client.call_tool("whoami", {"repo": "ACME/Widgets"})
        outside = await at.client.call_tool("whoami", {"repo": "acme/secret"})
        nowhere = await at.client.call_tool("whoami", {"repo": "acme/nowhere"})
    assert "repositories: acme/widgets" in text_of(inside)
    assert outside.is_error
    assert text_of(outside) == text_of(nowhere).replace("nowhere", "secret")
    assert text_of(outside) == (
        "The repository `acme/secret` is not there, or not among those that you may use for this "
        "(acme/widgets)."
    )


async def test_an_app_at_several_owners_searches_where_it_is_told_to(
    fake: FakeGitHub, keys: tuple[str, str]
) -> None:
    settings = app_settings(fake, keys)
    fake.app(42, keys[1], installations=["mona"])
    fence = """
[roles.all]
allow = ["github:*"]
fence = { "github.repo" = ["acme/widgets", "acme/gad*"] }
[[agents]]
id = "local"
roles = ["all"]
"""
    arguments = {"kind": "issues", "query": "wobbles"}
    async with bench(connector, settings=settings) as at:
        named = await at.client.call_tool("search", {**arguments, "repo": "acme/widgets"})
        unnamed = await at.client.call_tool("search", arguments)
    async with bench(connector, settings=settings, policy=fence) as at:
        fenced = await at.client.call_tool("search", arguments)
    assert [row[1] for row in named.structured_content["rows"]] == [1]
    assert [row[1] for row in fenced.structured_content["rows"]] == [1]
    assert text_of(unnamed) == "The GitHub App is installed at 2 owners: name a repository."


async def test_doctor_looks_at_each_installation(fake: FakeGitHub, keys: tuple[str, str]) -> None:
    settings = app_settings(fake, keys)
    fake.app(42, keys[1], installations=["mona"])
    fake.app_permissions = {"metadata": "read"}
    found = await findings(settings)
    assert [(state, said.partition(":")[0]) for state, said in found[1:]] == [
        ("ok", "limits at acme"),
        ("warning", "permissions at acme"),
        ("ok", "limits at mona"),
        ("warning", "permissions at mona"),
    ]
    assert found[0] == ("ok", f"GitHub at {fake.url}: it accepts the app installation")


async def test_an_installation_at_an_enterprise_is_passed_over(
    fake: FakeGitHub, keys: tuple[str, str]
) -> None:
    fake.enterprise_installation = True
    async with connected(app_settings(fake, keys)) as github:
        assert (await github.get(ISSUE)).json()["number"] == 1


@pytest.mark.parametrize(
    ("kind", "says"), [("user", "list_runs: actions: read"), ("oauth", "repo, for more than reading")]
)
async def test_blank_scopes_are_none_of_a_token_that_has_scopes_only(
    fake: FakeGitHub, kind: str, says: str
) -> None:
    held = {"contents": "read", "pull_requests": "read", "issues": "read"}
    token = fake.token(kind, kind=kind, scopes=[], permissions=held)
    fake.repositories["acme/secret"].private = kind == "user"
    said = await whoami(settings_for(fake.url, token), {"repo": "acme/secret"})
    assert says in said
    assert ("scopes: none" in said) is (kind == "oauth")


@pytest.mark.parametrize("kind", ["403", "451"])
async def test_what_is_withheld_outside_of_a_fence_looks_as_if_it_were_not_there(
    fake: FakeGitHub, kind: str
) -> None:
    policy = """
[roles.reader]
allow = ["github:read"]
fence = { "github.repo" = ["acme/widgets"] }
[[agents]]
id = "local"
roles = ["reader"]
"""
    fake.fault("/repos/acme/*", "GET", kind, times=None)
    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=policy) as at:
        withheld = await at.client.call_tool("get_repo", {"repo": "acme/secret"})
        nowhere = await at.client.call_tool("get_repo", {"repo": "other/secret"})
        inside = await at.client.call_tool("get_repo", {"repo": "acme/widgets"})
    assert text_of(withheld) == text_of(nowhere).replace("other/secret", "acme/secret")
    assert "is not there" not in text_of(inside)
