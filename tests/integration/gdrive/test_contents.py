"""Bytes come whole and checked, or in the slower ways for large files; links are followed to Google only."""

import base64
from collections.abc import Mapping

import pytest
from mcp_types import BlobResourceContents, ResourceLink, TextResourceContents

from integration.gdrive.test_ground import at_work, caller
from integration.gdrive.working import ADA, CLEO, ZOE, call, client_of, fenced, refusal, settings_for
from ringmain_core.errors import DeadlineExceeded, NotFound, UpstreamRefused, UpstreamUnavailable
from ringmain_gdrive.client import Client, StrayLink, is_googles
from ringmain_gdrive.contents import bytes_of, text_of
from ringmain_gdrive.readable import content_kind
from standins.gdrive.seeded import PEOPLE_CSV, PLAN, pdf
from standins.gdrive.state import FakeDrive

pytestmark = pytest.mark.anyio


async def test_large_exports_are_prepared_and_waited_for(fake: FakeDrive) -> None:
    fake.export_limit = 10
    told: list[tuple[float, str | None]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        told.append((progress, message))

    async with client_of(fake) as client:
        plan = {"file": fake.named("Launch plan").id}
        result = await client.call_tool("read_file", plan, progress_callback=heard)
    assert result.structured_content is not None
    assert result.structured_content["parts"]["content"] == PLAN
    assert told == [(1, "Google is exporting it"), (2, "Google is exporting it")]
    assert [one.method for one in fake.requests][-4:] == [
        "drive.files.download",
        "drive.operations.get",
        "drive.operations.get",
        "content.export",
    ]


async def test_export_links_are_the_last_resort(fake: FakeDrive) -> None:
    fake.export_limit = 10
    fake.fault("drive.files.download", "sharingRateLimitExceeded", times=None)
    async with client_of(fake, settings={"limit_patience": 0.0}) as client:
        said, _ = await refusal(client, "read_file", file=fake.named("Budget").id)
        assert "limit is reached" in said
    fake.faults.clear()
    call_ = caller()
    call_.deadline = 0.0  # no time to wait for the operation
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(call_, fake.named("Budget").id)
        assert "[sheet 2026" in await text_of(gdrive, call_, place)
    assert [one.parameters for one in fake.asked("drive.files.get")][-1]["fields"] == "exportLinks"


async def test_an_export_that_is_too_large_in_every_way_is_told(fake: FakeDrive) -> None:
    book = fake.document("Book", "word " * 1_000, ADA)
    fake.export_limit, fake.polls = 10, 0
    async with client_of(fake, settings={"most_bytes": 4_000}) as client:
        said, _ = await refusal(client, "read_file", file=book.id)
    assert "has 4,001 bytes; at most 4,000 are read here" in said
    assert fake.asked("content.export")[0].headers["range"] == "bytes=0-4000"


async def test_what_is_too_large_is_not_even_fetched(fake: FakeDrive) -> None:
    async with client_of(fake, settings={"most_bytes": 1_024}) as client:
        for tool in ("read_file", "read_table"):
            said, _ = await refusal(client, tool, file=fake.named("numbers.xlsx").id)
            assert "at most 1,024 are read here" in said
    assert fake.asked("drive.files.get_media") == []
    assert [one for one in fake.asked("drive.files.get") if one.parameters.get("alt") == "media"] == []


async def test_a_gigabyte_that_is_only_claimed_is_not_believed(fake: FakeDrive) -> None:
    people = fake.named("people.csv")
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), people.id)
        object.__setattr__(place.file, "told", {**place.file.told, "size": str(2**30)})
        with pytest.raises(UpstreamRefused, match="has 1,073,741,824 bytes"):
            await text_of(gdrive, caller(), place)


@pytest.mark.parametrize("kind", ["cut-body", "cut", "503", "html", "backendError"])
@pytest.mark.parametrize(
    ("name", "method"), [("paper.pdf", "drive.files.get"), ("Budget", "drive.files.export")]
)
async def test_what_breaks_on_the_way_is_fetched_again(
    fake: FakeDrive, name: str, method: str, kind: str
) -> None:
    fake.fault(method, kind, after=int(method == "drive.files.get"))
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), fake.named(name).id)
        assert await text_of(gdrive, caller(), place)
    statuses = [one.status for one in fake.asked(method)]
    assert len(statuses) >= 2, statuses


async def test_a_limit_is_waited_for_or_told(fake: FakeDrive) -> None:
    async with at_work(settings_for(fake, limit_patience=2.0)) as gdrive:
        place = await gdrive.place(caller(), fake.named("Budget").id)
        fake.fault("drive.files.export", "rateLimitExceeded", seconds=1)
        assert await text_of(gdrive, caller(), place)
        place = await gdrive.place(caller(), fake.named("Kickoff").id)
        fake.fault("drive.files.export", "userRateLimitExceeded", seconds=30)
        with pytest.raises(UpstreamUnavailable, match="Come back in 30 s"):
            await text_of(gdrive, caller(), place)


async def test_content_that_is_not_what_drive_described_is_not_taken(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), notes.id)
        fake.revise(notes, "changed meanwhile", ADA)
        with pytest.raises(UpstreamUnavailable, match="was changed just now"):
            await text_of(gdrive, caller(), place)
        place = await gdrive.place(caller(), notes.id)
        assert await text_of(gdrive, caller(), place) == "changed meanwhile"


async def test_empty_files_are_empty(fake: FakeDrive) -> None:
    empty = fake.file("empty.txt", b"", ADA)
    async with client_of(fake) as client:
        _, answer = await call(client, "read_file", file=empty.id)
    assert answer["parts"]["content"] == ""


@pytest.mark.parametrize(
    ("url", "is_trusted"),
    [
        ("https://docs.google.com/feeds/download", True),
        ("https://doc-0s-docs.googleusercontent.com/x", True),
        ("https://www.googleapis.com/drive/v3/files/1", True),
        ("http://127.0.0.1:9999/content", True),
        ("http://127.0.0.1:9998/content", False),
        ("http://docs.google.com/x", False),
        ("https://docs.google.com.evil.example/x", False),
        ("https://evilgoogle.com/x", False),
        ("https://evil.example/?.google.com", False),
        ("https://evil.example\\.google.com/x", False),
        ("https://docs.google.com@evil.example/x", False),
        ("https://user@docs.google.com/x", False),
        ("https://docs.google.com:8443/x", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_links_are_followed_to_google_only(url: str, *, is_trusted: bool) -> None:
    assert is_googles(url, "http://127.0.0.1:9999") is is_trusted


class Answers:
    """A connection that answers with what is prepared, and remembers what it was asked."""

    def __init__(self, *prepared: tuple[int, Mapping[str, str], bytes]) -> None:
        self.prepared = list(prepared)
        self.asked: list[tuple[str, bool]] = []

    def request(self, url: str, _: str, headers: Mapping[str, str]) -> tuple[object, bytes]:
        self.asked.append((url, "authorization" in headers))
        status, told, content = self.prepared.pop(0)
        answer = type("Answer", (dict,), {"status": status})(told)
        return answer, content

    def close(self) -> None:
        pass


def test_a_redirect_is_followed_without_the_token_and_only_to_google(
    fake: FakeDrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(settings_for(fake))
    away = (302, {"location": "https://doc-1.googleusercontent.com/x"}, b"")
    asked: list[Answers] = []
    connection = Answers(away, (200, {}, b"content"))
    monkeypatch.setattr(client, "_connection", lambda: connection)
    monkeypatch.setattr(client, "_give_back", asked.append)
    assert client.follow("token", "https://docs.google.com/x", {}).content == b"content"
    assert connection.asked == [
        ("https://docs.google.com/x", True),
        ("https://doc-1.googleusercontent.com/x", False),
    ]
    connection = Answers((302, {"location": "https://evil.example/"}, b""))
    with pytest.raises(StrayLink):
        client.follow("token", "https://docs.google.com/x", {})
    assert connection.asked == [("https://docs.google.com/x", True)]


async def test_a_link_from_drive_that_leads_away_is_told(fake: FakeDrive) -> None:
    async with at_work(settings_for(fake)) as gdrive:
        with pytest.raises(UpstreamRefused, match="leads away from Google"):
            await gdrive.linked("https://evil.example/x", "text/plain", 100)
    assert fake.requests == [] or all(one.method.startswith("oauth") for one in fake.requests)


async def test_a_download_is_a_link_that_the_client_reads(fake: FakeDrive) -> None:
    async with client_of(fake) as client:
        for name, mime_type, size in (
            ("paper.pdf", "application/pdf", len(pdf())),
            ("people.csv", "text/csv", len(PEOPLE_CSV)),
            ("Launch plan", "text/markdown", None),
        ):
            result = await client.call_tool("download", {"file": fake.named(name).id})
            (link,) = result.content
            assert isinstance(link, ResourceLink)
            assert (link.name, link.mime_type, link.size) == (name, mime_type, size)
            (content,) = (await client.read_resource(link.uri)).contents
            if isinstance(content, BlobResourceContents):
                assert base64.b64decode(content.blob) == pdf()
            else:
                assert isinstance(content, TextResourceContents)
                assert content.text == {"people.csv": PEOPLE_CSV, "Launch plan": PLAN}[name]
            assert content.mime_type == mime_type


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffname;note\r\n\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\r\n".encode(),
        "Grüße\r\n".encode("cp1252"),
        "👩\u200d👧".encode(),
        b"\xff\xfea\0",
        "plain, Grüße\r\nas it is\r".encode(),
    ],
    ids=["mark", "cp1252", "joined", "utf-16", "text"],
)
async def test_bytes_are_had_as_they_are(fake: FakeDrive, data: bytes) -> None:
    file = fake.file("a.csv", data, ADA)
    async with client_of(fake) as client:
        (content,) = (await client.read_resource(f"gdrive://file/{file.id}/content")).contents
    assert content.mime_type == "text/csv"
    if isinstance(content, BlobResourceContents):
        assert base64.b64decode(content.blob) == data
    else:
        assert isinstance(content, TextResourceContents)
        assert (content.text.encode(), data.startswith(b"plain")) == (data, True)


async def test_a_link_carries_the_resource_key(fake: FakeDrive) -> None:
    link = f"https://docs.google.com/document/d/{fake.named('Brochure').id}/edit?resourcekey=0-brochurekey"
    async with client_of(fake, ZOE, settings={"subject": CLEO}) as client:
        result = await client.call_tool("download", {"file": link})
        (found,) = result.content
        assert isinstance(found, ResourceLink)
        (content,) = (await client.read_resource(found.uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.text == "# Acme\n\nBuy from us.\n"


async def test_a_link_leads_nobody_out_of_the_fence(fake: FakeDrive) -> None:
    policy = fenced(fake.named("Plans").id)
    async with client_of(fake, policy=policy) as client:
        with pytest.raises(Exception, match="not among those that you may use"):
            await client.read_resource(f"gdrive://file/{fake.named('Diary').id}/content")


async def test_bytes_of_an_old_revision_are_had(fake: FakeDrive) -> None:
    notes = fake.named("notes.txt")
    notes.revisions[0].keep = True
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(caller(), notes.id)
        wanted = content_kind(place.file)
        old = notes.revisions[0].id
        assert await bytes_of(gdrive, caller(), place, wanted, revision_id=old) == b"first\n"
        with pytest.raises(NotFound):
            await bytes_of(gdrive, caller(), place, wanted, revision_id="none")


async def test_google_may_take_too_long(fake: FakeDrive, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.export_limit, fake.polls = 10, 10_000
    hasty = caller()
    hasty.deadline = 0.0
    async with at_work(settings_for(fake)) as gdrive:
        place = await gdrive.place(hasty, fake.named("Budget").id)

        async def no_links(*_: object) -> str:
            return ""

        monkeypatch.setattr("ringmain_gdrive.contents._export_link", no_links)
        with pytest.raises(DeadlineExceeded, match="has not finished exporting `Budget`"):
            await text_of(gdrive, hasty, place)
