"""Files are named in every way, fenced by the folders above them, and Google's refusals are told."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest

from integration.gdrive.working import ADA, BO, ZOE, call, client_of, fenced, refusal, settings_for
from ringmain_core.call import Call
from ringmain_core.connector import Check
from ringmain_core.cursors import Cursors
from ringmain_core.errors import (
    ConfigurationError,
    InvalidArguments,
    OutsideFence,
    UpstreamRefused,
    UpstreamUnavailable,
)
from ringmain_core.policy import Grant
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_gdrive.api import GDrive, connect
from ringmain_gdrive.doctor import diagnose, ready
from ringmain_gdrive.settings import GDriveSettings
from standins.gdrive.state import FakeDrive
from unit.core.accounts.desk import call_of

pytestmark = pytest.mark.anyio

SERVICES = Services(Cursors(b"0" * 32))


@asynccontextmanager
async def at_work(settings: GDriveSettings) -> AsyncGenerator[GDrive]:
    async with connect(settings, SERVICES) as gdrive:
        yield gdrive


def caller(*patterns: str, claims: Mapping[str, object] | None = None) -> Call:
    """Somebody with a fence of folders, if any are given."""
    call = call_of(Principal("agent", "jwt", claims or {}))
    call.connector = "gdrive"
    fences = ({"gdrive.folder": list(patterns)},) if patterns else ()
    call.grant = Grant(allowed=True, because="", fences=fences)
    return call


async def test_files_are_found_by_id_link_and_path(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with at_work(settings_for(fake)) as gdrive:
        for text in (
            plan.id,
            f"https://docs.google.com/document/d/{plan.id}/edit",
            f"https://drive.google.com/open?id={plan.id}",
            "/Plans/Launch plan",
            "My Drive/Plans/Launch plan",
            "/To the plan",
        ):
            place = await gdrive.place(caller(), text)
            assert place.id == plan.id, text
        assert place.path == "My Drive/Plans/Launch plan"
        team = await gdrive.place(caller(), "Team/Projects/Roadmap")
        assert team.file.name == "Roadmap"
        shortcut = await gdrive.place(caller(), "/To the plan", follow=False)
        assert shortcut.file.kind == "shortcut"


async def test_several_of_one_name_are_named_by_their_ids(fake: FakeDrive) -> None:
    one, two = (fake.document("Twin", "x", ADA) for _ in range(2))
    async with at_work(settings_for(fake)) as gdrive:
        with pytest.raises(InvalidArguments, match="Several are called `Twin`") as caught:
            await gdrive.place(caller(), "/Twin")
    assert {one.id, two.id} <= set(caught.value.message.replace(",", "").replace(".", "").split())


async def test_a_fence_holds_for_all_that_is_below_and_nothing_else(fake: FakeDrive) -> None:
    plans, team = fake.named("Plans"), fake.named("Team")
    async with at_work(settings_for(fake)) as gdrive:
        for fence, name, inside in (
            (plans.id, "Launch plan", True),
            (plans.id, "minutes.txt", True),
            (plans.id, "notes.txt", False),
            (plans.id, "Roadmap", False),
            (team.id, "Roadmap", True),
            (team.id, "Forecast", False),
            ("root", "Diary", True),
            ("root", "Ideas", False),
            ("root", "Roadmap", False),
            ("shared", "Ideas", True),
            ("shared", "Diary", False),
            ("*", "Ideas", True),
        ):
            file = fake.named(name)
            try:
                await gdrive.place(caller(fence), file.id)
            except OutsideFence:
                found = False
            else:
                found = True
            assert found is inside, (fence, name)


@pytest.mark.parametrize("name", ["root", "/", "orphan"])
async def test_my_drive_itself_and_orphans_belong_to_root(fake: FakeDrive, name: str) -> None:
    orphan = fake.folder("Orphan", ADA)
    fake.store.tree.place(orphan, "")
    wanted = orphan.id if name == "orphan" else name
    async with at_work(settings_for(fake)) as gdrive:
        assert (await gdrive.place(caller("root"), wanted)).file.is_folder
        with pytest.raises(OutsideFence):
            await gdrive.place(caller("shared"), wanted)


async def test_a_path_with_a_slash_never_leads_into_a_shared_drive(fake: FakeDrive) -> None:
    fake.shared_drive("Plans", {ZOE: "organizer", ADA: "writer"})
    own = next(one for one in fake.store.files.values() if one.name == "Plans" and not one.drive)
    async with at_work(settings_for(fake)) as gdrive:
        assert (await gdrive.place(caller(), "/Plans")).id == own.id
        assert (await gdrive.place(caller(), "Plans/")).file.drive
        assert fake.asked("drive.drives.list")[:-1] == []
        with pytest.raises(OutsideFence, match="In My Drive, a path begins with a slash"):
            await gdrive.place(caller(), "Files/notes.txt")


async def test_shared_drives_of_one_name_are_named_by_their_ids(fake: FakeDrive) -> None:
    teams = [fake.named("Team").id, fake.shared_drive("Team", {ADA: "organizer"}).id]
    fake.shared_drive("team", {ADA: "organizer"})
    async with at_work(settings_for(fake)) as gdrive:
        with pytest.raises(InvalidArguments, match="Several are called `Team`") as caught:
            await gdrive.place(caller(), "Team/Projects")
        assert [one for one in teams if one in caught.value.message] == teams
        assert (await gdrive.place(caller(teams[0]), "Team/Projects")).file.drive == teams[0]
        with pytest.raises(OutsideFence):
            await gdrive.place(caller(fake.named("Plans").id), "Team/Projects")


async def test_several_outside_of_the_fence_look_like_none(fake: FakeDrive) -> None:
    hr = fake.folder("HR", ADA)
    for _ in range(2):
        fake.file("Layoffs.txt", "x", ADA, parent=hr)
    said: set[str] = set()
    async with at_work(settings_for(fake)) as gdrive:
        for name in ("Layoffs.txt", "Nothing.txt"):
            with pytest.raises(OutsideFence) as caught:
                await gdrive.place(caller(fake.named("Plans").id), f"/HR/{name}")
            said.add(caught.value.message.replace(name, "…"))
    assert len(said) == 1


async def test_shared_drives_have_the_names_that_people_gave_them(fake: FakeDrive) -> None:
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), fake.named("Roadmap").id)
        assert place.path == "Team/Projects/Roadmap"
        assert (await gdrive.place(caller(), place.path)).id == place.id
        assert (await gdrive.place(caller(), fake.named("Finance").id)).path == "Finance"
        assert len(fake.asked("drive.drives.get")) == 2


async def test_without_the_scope_for_their_names_shared_drives_have_ids(fake: FakeDrive) -> None:
    team = fake.named("Team").id
    async with at_work(settings_for(fake, access="metadata")) as gdrive:
        assert (await gdrive.place(caller(), fake.named("Roadmap").id)).path == f"{team}/Projects/Roadmap"
        with pytest.raises(InvalidArguments, match="Shared drives have no names for this token"):
            await gdrive.place(caller(), "Team/Projects")


async def test_a_shortcut_leads_nobody_out_of_the_fence(fake: FakeDrive) -> None:
    plans, diary = fake.named("Plans"), fake.named("Diary")
    way_out = fake.shortcut("Way out", diary, ADA, parent=plans)
    async with at_work(settings_for(fake)) as gdrive:
        with pytest.raises(OutsideFence):
            await gdrive.place(caller(plans.id), way_out.id)


async def test_what_is_not_there_and_what_is_fenced_off_look_alike(fake: FakeDrive) -> None:
    plans = fake.named("Plans")
    async with at_work(settings_for(fake, BO)) as gdrive:
        said: set[str] = set()
        for file_id in (fake.named("Diary").id, fake.named("Salaries.csv").id, "x" * 20):
            with pytest.raises(OutsideFence) as caught:
                await gdrive.place(caller(plans.id), file_id)
            said.add(caught.value.message.replace(file_id, "…"))
    assert len(said) == 1


async def test_a_link_with_a_resource_key_opens_what_it_is_for(fake: FakeDrive) -> None:
    brochure = fake.named("Brochure")
    link = f"https://docs.google.com/document/d/{brochure.id}/edit?resourcekey=0-brochurekey"
    async with at_work(settings_for(fake, BO)) as gdrive:
        assert (await gdrive.place(caller(), link)).file.name == "Brochure"
        with pytest.raises(OutsideFence):
            await gdrive.place(caller(), f"https://docs.google.com/document/d/{brochure.id}/edit")


async def test_limits_and_breakdowns_are_waited_for_or_told(fake: FakeDrive) -> None:
    plan = fake.named("Launch plan")
    async with at_work(settings_for(fake, limit_patience=2.0)) as gdrive:
        fake.fault("drive.files.get", "503")
        fake.fault("drive.files.get", "rateLimitExceeded", seconds=1)
        assert (await gdrive.place(caller(), plan.id)).id == plan.id
        fake.fault("drive.files.get", "userRateLimitExceeded", seconds=30)
        with pytest.raises(UpstreamUnavailable, match="Come back in 30 s"):
            await gdrive.place(caller(), plan.id)


async def test_the_service_account_acts_for_whom_the_callers_token_names(fake: FakeDrive) -> None:
    settings = settings_for(fake, subject=None, subject_claim="email", subject_domains="acme.example")
    async with at_work(settings) as gdrive:
        ticket = await gdrive.credentials.token(caller(claims={"email": BO}))
        assert ticket.subject == BO
        for claims in (
            {},
            {"email": "zoe@other.example"},
            {"email": BO, "email_verified": False},
            {"email": ["a", "b"]},
        ):
            with pytest.raises(UpstreamRefused):
                await gdrive.credentials.token(caller(claims=claims))


async def test_whoever_is_not_delegated_is_told(fake: FakeDrive) -> None:
    async with client_of(fake, "zoe@other.example") as client:
        said, error = await refusal(client, "whoami")
    assert "check its key, and the scopes and people that it is delegated for" in said
    assert error["cause"] == "auth"


async def test_whoami_says_who_and_what_is_lacking(fake: FakeDrive) -> None:
    policy = fenced(fake.named("Plans").id)
    async with client_of(fake, settings={"access": "read"}, policy=policy) as client:
        said, answer = await call(client, "whoami")
    assert "Ada Moss <ada@acme.example>" in said
    assert "create_file: drive.file" in answer["facts"]["lacking"]
    assert answer["facts"]["folders"] == fake.named("Plans").id


async def checks(settings: GDriveSettings) -> dict[str, Check]:
    async with at_work(settings) as gdrive:
        await ready(gdrive)
        return {check.what: check async for check in diagnose(gdrive)}


async def test_doctor_says_as_whom_and_what_for(fake: FakeDrive) -> None:
    found = await checks(settings_for(fake))
    assert found["scopes"].state == "ok"
    assert found[f"Drive at {fake.url}"].detail == f"the service account acts as {ADA}"
    found = await checks(settings_for(fake, access="metadata"))
    assert "read_file: drive.readonly" in found["scopes"].detail


async def test_settings_that_contradict_themselves_are_refused(fake: FakeDrive) -> None:
    for settings, words in (
        (GDriveSettings(url=fake.url), "no credentials are set"),
        (settings_for(fake, subject_claim="email"), "whom may it act for"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            async with at_work(settings):
                pass


@pytest.mark.parametrize("method", ["drive.files.get", "drive.files.list"])
async def test_a_page_of_a_proxy_is_no_answer_of_drive(fake: FakeDrive, method: str) -> None:
    async with at_work(settings_for(fake)) as gdrive:
        for after in range(2):
            fake.fault(method, "html", after=after)
            place = await gdrive.place(caller("root"), "/Plans/Launch plan")
            assert place.path == "My Drive/Plans/Launch plan"


async def test_a_write_that_a_proxy_answers_is_looked_for(fake: FakeDrive) -> None:
    fake.fault("drive.files.create", "html")
    async with client_of(fake) as client:
        await call(client, "create_file", name="once.txt", content="x")
    assert fake.named("once.txt").text.endswith("x")
