"""What is read from Drive when it is measured: many files, none of them twice; and a drive of a size."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from standins.gdrive.office import pdf
from standins.gdrive.serve import serving
from standins.gdrive.state import FakeDrive

ADA = "ada@acme.example"
FILES, CROWD, BOOKS = 3_000, 50_000, 8
FIELDS = (
    "id,name,mimeType,parents,driveId,trashed,shared,ownedByMe,modifiedTime,version,size,webViewLink,"
    "owners(emailAddress,displayName),capabilities"
)
TEXT = "The cache was cold, and nobody was on call; it will be warm next time.\n" * 2_000


@dataclass(frozen=True)
class Stand:
    """The stand-in, and how to reach it.

    Attributes:
        token: For the vendor's library alone.
        key: A service account's key, for us.
        names: Ids of the files.
        books: Ids of PDFs.
    """

    fake: FakeDrive
    token: str
    key: str
    names: list[str]
    books: list[str]

    @property
    def environment(self) -> dict[str, str]:
        """Settings of a server in front of it."""
        return {
            "RINGMAIN_GDRIVE_URL": self.fake.url,
            "RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY": self.key,
            "RINGMAIN_GDRIVE_SUBJECT": ADA,
            "RINGMAIN_GDRIVE_ACCESS": "full",
        }


def _book(number: int) -> bytes:
    return pdf(f"Book {number}, page {page}\n\n{TEXT[:2_000]}" for page in range(300))


@contextmanager
def drive_with_files(files: int = FILES, *, crowd: int = 0) -> Generator[Stand]:
    """A Drive with so many small files in one folder, and a crowd of others."""
    fake = FakeDrive()
    fake.user(ADA, "Ada Moss")
    folder = fake.folder("Notes", ADA)
    names = [fake.file(f"note {number}.txt", TEXT, ADA, parent=folder).id for number in range(files)]
    books = [fake.file(f"book {number}.pdf", _book(number), ADA, parent=folder).id for number in range(BOOKS)]
    if crowd:
        fake.crowd(files=crowd)
    with serving(fake):
        info = fake.service_account("robot@project.example", delegated=[ADA])
        fake.validating = False
        yield Stand(fake, fake.token(ADA), json.dumps(dict(info)), names, books)
    if fake.violations:
        raise RuntimeError(f"Drive's description does not allow this: {fake.violations[:3]}")
