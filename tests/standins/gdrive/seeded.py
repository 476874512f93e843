"""A handy Drive: the company Acme with its people, folders, files of all kinds, and shared drives."""

from functools import cache
from types import MappingProxyType

from standins.gdrive import office
from standins.gdrive.file import File
from standins.gdrive.native import presentation, spreadsheet
from standins.gdrive.state import FakeDrive

ADA, BO, CLEO, ZOE = "ada@acme.example", "bo@acme.example", "cleo@acme.example", "zoe@other.example"
TEAM = "team@acme.example"
_DAY = 86_400.0
PLAN = """# Launch plan

We ship on **Friday**, after the review.

## Risks

- The cache may be cold
- Nobody is on call

| Part | Owner |
| --- | --- |
| Server | Ada |
| Docs | Bo |
"""
BUDGET = MappingProxyType(
    {
        "2025": (("Item", "Cost"), ("Servers", 1200), ("Coffee", 80.5)),
        "2026": (("Item", "Cost"), ("Servers", 1500), ("Coffee", 95)),
        "Notes": (("All costs are in euros",),),
    }
)
KICKOFF = (
    ("Welcome", "Why we are here", "Say hello to everybody"),
    ("Dates", "Friday is the day", ""),
    ("Questions", "", "Leave ten minutes"),
)
PEOPLE_CSV = "name,city\nAda,Oslo\nBo,Quito\n"


@cache
def docx() -> bytes:
    return office.docx("# Report\n\nSales went up.\n\n| Month | Sales |\n| --- | --- |\n| May | 12 |\n")


@cache
def xlsx() -> bytes:
    return office.xlsx(spreadsheet({"Numbers": [["n", "square"], [2, 4], [3, 9]], "More": [["x"], [1]]}))


@cache
def pptx() -> bytes:
    return office.pptx(presentation([("Results", "All green", "Thank the team")]))


@cache
def pdf() -> bytes:
    return office.pdf(["Paper\n\nOn the first page.", "On the second page."])


def seeded(*, validating: bool = True) -> FakeDrive:
    """Users ada (administrator), bo and cleo of acme.example, zoe of other.example; group team (bo, cleo).

    Ada's My Drive: the folder Plans (bo writes, team reads) with Launch plan (a document of two revisions
    and a comment by bo with a reply), Budget (a spreadsheet of three tabs), Kickoff (slides with notes) and
    the folder Archive with minutes.txt; the folder Files with report.docx, numbers.xlsx, deck.pptx,
    paper.pdf, people.csv, notes.txt (three revisions), page.html; Diary (hers alone), To the plan (a
    shortcut), Brochure (for who has the link and its resource key), Old draft (in the trash). Bo's My Drive:
    Ideas (ada comments), Salaries (his alone). The shared drive Team (ada organizes, bo writes, cleo reads)
    has the folder Projects with Roadmap and spec.md; Finance is ada's alone, with Forecast. All of it is
    from the last thirty days; `fake.named("Launch plan")` finds a file.
    """
    fake = FakeDrive(validating=validating)
    fake.user(ADA, "Ada Moss", admin=True)
    fake.user(BO, "Bo Reyes")
    fake.user(CLEO, "Cleo Lind")
    fake.user(ZOE, "Zoe Park")
    fake.group(TEAM, [BO, CLEO])
    _plans(fake)
    _files(fake)
    fake.document("Diary", "Nobody may know.\n", ADA, ago=3 * _DAY)
    brochure = fake.document("Brochure", "# Acme\n\nBuy from us.\n", ADA, ago=12 * _DAY)
    fake.share(brochure, "anyone", "reader")
    brochure.resource_key = "0-brochurekey"
    fake.trash(fake.document("Old draft", "Not needed.\n", ADA, ago=25 * _DAY))
    ideas = fake.document("Ideas", "Sell more. Ship on Friday.\n", BO, ago=5 * _DAY)
    fake.share(ideas, ADA, "commenter")
    fake.file("Salaries.csv", "name,salary\n", BO, ago=5 * _DAY)
    _drives(fake)
    return fake


def _plans(fake: FakeDrive) -> None:
    plans = fake.folder("Plans", ADA, ago=30 * _DAY)
    plan = fake.document("Launch plan", "# Launch plan\n\nTo be written.\n", ADA, parent=plans, ago=20 * _DAY)
    budget = fake.sheet("Budget", BUDGET, ADA, parent=plans, ago=10 * _DAY)
    kickoff = fake.slides("Kickoff", KICKOFF, ADA, parent=plans, ago=9 * _DAY)
    budget.description, kickoff.starred = "What it costs", {ADA}
    archive = fake.folder("Archive", ADA, parent=plans, ago=28 * _DAY)
    fake.file("minutes.txt", "Minutes of the first meeting.\n", ADA, parent=archive, ago=27 * _DAY)
    _revised(fake, plan, [PLAN], 2 * _DAY)
    replies = [(ADA, "The review is on Thursday")]
    fake.comment(plan, BO, "Is Friday safe?", quoted="Friday", replies=replies, ago=_DAY)
    fake.share(plans, BO, "writer")
    fake.share(plans, TEAM, "reader")
    fake.shortcut("To the plan", plan, ADA, ago=8 * _DAY)


def _files(fake: FakeDrive) -> None:
    files = fake.folder("Files", ADA, ago=15 * _DAY)
    contents = {
        "report.docx": docx(),
        "numbers.xlsx": xlsx(),
        "deck.pptx": pptx(),
        "paper.pdf": pdf(),
        "people.csv": PEOPLE_CSV.encode(),
        "page.html": b"<html><body><h1>Page</h1><p>Hello <b>there</b>.</p></body></html>",
    }
    for number, (name, data) in enumerate(contents.items()):
        fake.file(name, data, ADA, parent=files, ago=(14 - number) * _DAY)
    notes = fake.file("notes.txt", "first\n", ADA, parent=files, ago=7 * _DAY)
    _revised(fake, notes, ["first\nsecond\n", "first\nsecond\nthird\n"], 4 * _DAY)


def _revised(fake: FakeDrive, file: File, texts: list[str], ago: float) -> None:
    for text in texts:
        fake.revise(file, text, ADA, ago=ago)
        ago -= _DAY


def _drives(fake: FakeDrive) -> None:
    team = fake.shared_drive("Team", {ADA: "organizer", BO: "writer", CLEO: "reader"})
    projects = fake.folder("Projects", ADA, parent=team, ago=11 * _DAY)
    fake.document("Roadmap", "# Roadmap\n\nFirst the server.\n", ADA, parent=projects, ago=6 * _DAY)
    fake.file("spec.md", "# Spec\n\nIt works.\n", ADA, parent=projects, mime_type="text/markdown", ago=_DAY)
    finance = fake.shared_drive("Finance", {ADA: "organizer"})
    fake.sheet("Forecast", {"Q1": [["Month", "Sum"], ["May", 7]]}, ADA, parent=finance, ago=_DAY)
