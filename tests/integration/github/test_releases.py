"""Releases: found by their tag, drafts too; made once; and what was lost is not taken for done."""

import pytest

from integration.github.pulling import POLICY, REPO, call, client_of, structured, writes
from integration.github.working import settings_for
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.asking import ask, fault
from standins.github.state import FakeGitHub

pytestmark = pytest.mark.anyio

RELEASES = "/repos/acme/widgets/releases"


async def test_a_rehearsal_shows_the_request_and_sends_none(fake: FakeGitHub) -> None:
    (release,) = fake.repositories["acme/widgets"].releases
    async with client_of(fake) as client:
        new, shown = await call(
            client,
            "save_release",
            {**REPO, "tag": "v2", "notes": "Two", "target": "feature", "dry_run": True},
        )
        _, change = await call(client, "save_release", {**REPO, "tag": "v1.0", "notes": "x", "dry_run": True})
    assert new.startswith("Dry run, nothing was done. A new release v2 of acme/widgets.\n")
    assert shown["requests"] == [
        {"POST": RELEASES, "tag_name": "v2", "body": "Two", "target_commitish": "feature", "draft": True}
    ]
    assert change["requests"] == [{"PATCH": f"{RELEASES}/{release.id}", "tag_name": "v1.0", "body": "x"}]
    assert writes(fake) == []


async def test_notes_are_generated_for_new_releases_only(fake: FakeGitHub) -> None:
    arguments = {**REPO, "generate_notes": True}
    async with client_of(fake) as client:
        await call(client, "save_release", {**arguments, "tag": "v2", "draft": False, "prerelease": True})
        code, said = await fault(client, "save_release", **arguments, tag="v1.0")
    made = fake.repositories["acme/widgets"].releases[-1]
    assert (made.tag, made.draft, made.prerelease) == ("v2", False, True)
    assert made.body is not None
    assert made.body.startswith("## What's Changed")
    assert (code, said) == (
        "invalid_arguments",
        "There is a release v1.0 already, and notes are generated for new ones only: give `notes`.",
    )


async def test_only_what_is_given_is_changed(fake: FakeGitHub) -> None:
    repo = fake.repositories["acme/widgets"]
    async with client_of(fake) as client:
        await call(client, "save_release", {**REPO, "tag": "v1.0", "name": "One"})
    (release,) = repo.releases
    assert (release.name, release.body, release.draft) == ("One", "The first.", False)


async def test_the_same_key_makes_one_release(fake: FakeGitHub) -> None:
    arguments = {**REPO, "tag": "v2", "idempotency_key": "release-2"}
    fake.fault(RELEASES, "POST", "done-cut")
    async with client_of(fake) as client:
        _, made = await call(client, "save_release", arguments)
        _, again = await call(client, "save_release", arguments)
        other = await fault(client, "save_release", **{**arguments, "tag": "v3"})
    assert made == again
    assert other[0] == "idempotency_key_reused"
    assert len(fake.asked("POST", RELEASES)) == 1


async def test_a_change_that_did_not_arrive_is_not_called_done(fake: FakeGitHub) -> None:
    fake.fault(f"{RELEASES}/*", "PATCH", "cut", None)
    async with client_of(fake) as client:
        code, _ = await fault(client, "save_release", **REPO, tag="v1.0", notes="New")
    assert code in {"outcome_unknown", "upstream_unavailable"}
    assert fake.repositories["acme/widgets"].releases[0].body == "The first."


async def test_what_github_does_not_take_is_said_in_its_words(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        target = await fault(client, "save_release", **REPO, tag="v2", target="nowhere")
    settings = settings_for(fake.url, fake.token("weak", kind="fine", permissions={"contents": "read"}))
    async with bench(connector, settings=settings, policy=POLICY) as at:
        weak = await fault(at.client, "save_release", **REPO, tag="v2")
    assert target == (
        "upstream_refused",
        "GitHub refuses this: Validation Failed; target_commitish: invalid.",
    )
    assert weak[0] == "upstream_refused"
    assert weak[1].startswith("GitHub does not allow this: Resource not accessible by personal access token.")
    assert "contents=write" in weak[1]


async def test_what_was_read_in_private_is_not_released_in_public_without_a_person(fake: FakeGitHub) -> None:
    async with client_of(fake) as client:
        await ask(client, "get_diff", repo="acme/secret", sha="main")
        code, _ = await fault(client, "save_release", **REPO, tag="v2", notes="Secret")
    assert code == "confirmation_needed"
    assert writes(fake) == []


async def test_a_release_is_made_as_a_draft_and_then_published_once(fake: FakeGitHub) -> None:
    release = {**REPO, "tag": "v2.0", "name": "Two", "notes": "Faster."}
    async with client_of(fake) as client:
        rehearsed = await structured(client, "save_release", **release, dry_run=True)
        assert writes(fake) == []
        drafted = await structured(client, "save_release", **release)
        published = await structured(client, "save_release", **REPO, tag="v2.0", draft=False)
    assert rehearsed["requests"][0]["draft"] is True
    assert drafted["summary"] == "Draft v2.0 of acme/widgets is saved."
    assert published["summary"] == "Release v2.0 of acme/widgets is saved."
    assert published["id"] == drafted["id"]


async def test_a_release_whose_answer_was_lost_is_found(fake: FakeGitHub) -> None:
    fake.fault("/repos/acme/widgets/releases", "POST", "done-cut")
    async with client_of(fake) as client:
        made = await structured(client, "save_release", **REPO, tag="v2.0")
    assert made["done"] is True
    assert len(fake.asked("POST", "/repos/acme/widgets/releases")) == 1
