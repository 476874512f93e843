"""A Google Drive for tests, on a loopback port: `FakeDrive` holds its state and is what tests talk to.

```python
fake = FakeDrive()                               # or `seeded()`: see `seeded.py` for what it holds
ada = fake.user("ada@acme.example", "Ada Moss")  # of the domain acme.example; `quota=` bytes, `admin=True`
fake.group("team@acme.example", ["ada@acme.example"]); fake.domain("acme.example", share_out=False)
plans = fake.folder("Plans", "ada@acme.example")                    # in her My Drive; `parent=` another
fake.file("notes.txt", "…", "ada@acme.example", parent=plans)       # type by the name, or `mime_type=`
fake.document("Plan", "# Plan\n\n…", "ada@…")    # `fake.sheet("Budget", {"2025": [["a", 1]]}, …)`,
                                                 # `fake.slides("Deck", [("Title", "body", "notes")], …)`
team = fake.shared_drive("Team", {"ada@acme.example": "organizer"}) # -> File: its top folder, for `parent=`
fake.named("Plan")                                # the file, folder or shared drive of that name
fake.shortcut("To the plan", plan, "ada@…"); fake.share(plan, "bo@other.example", "commenter")
fake.share(plan, "anyone", "reader"); fake.share(plan, "acme.example", "reader", discoverable=True)
fake.comment(plan, "bo@…", "Why?", quoted="We ship", replies=[("ada@…", "Because", "resolve")])
fake.propose(plan, "zoe@…", "writer", message="Please")              # asks for access: see `proposals.py`
fake.revise(notes, "new content", "bo@…"); fake.trash(plan); fake.delete(plan); fake.move(plan, plans)
fake.crowd(files=50_000)                         # of the first user: `crowd-<number>` in 100 folders
token = fake.token("ada@…", scopes=["drive.readonly"], app="ringmain")  # for all of Drive unless told
fake.revoke(token); fake.expire(token)
with serving(fake) as url: ...                   # http://127.0.0.1:port, from `serve.py`; `client.py` points
                                                 # google-api-python-client at it: `drive(fake, token)`,
                                                 # and `Clients(fake)("ada@…", ["drive.file"])` for several
fake.fault("drive.files.list", "rateLimitExceeded", times=1, seconds=3)   # kinds: see `faults.py`
fake.requests                                    # every one: method, parameters, body, token label, status
fake.asked("drive.files.*")                      # those whose method fits
fake.violations                                  # what the vendor does not publish: assert it is []
fake.incomplete_search = True; fake.export_limit = 1000; fake.sharing_left = 0; fake.mails
fake.expire_page_tokens(); fake.view(plan, "zoe@…", app="ringmain") # opened: `drive.file` sees it
FakeDrive(validating=False)                      # for load: answers are not held against the schemas
fake.client("id", "secret"); fake.refresh_token("ada@…")            # OAuth: see `oauth.py`
info = fake.service_account("robot@project.example", delegated=["ada@acme.example"])  # as a key file has it
```

Everybody is named by their email address. Routes get `Asked` and give the answer or raise `Refusal`
(`web.py`); every request and answer is held against the vendor's discovery document (`described.py`).
Not served, and noted as violations: watching, channels, labels, apps, approvals, access proposals, batches.
"""

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from standins.gdrive.crowd import crowd
from standins.gdrive.errors import Refusal
from standins.gdrive.faults import Fault
from standins.gdrive.making import Making
from standins.gdrive.models import Domain, Grant, Mail, Recorded, Token, secret
from standins.gdrive.ordering import Orders
from standins.gdrive.robots import Robot, key_file
from standins.gdrive.uploads import Session
from standins.gdrive.walks import Walks

_LASTS = 3599.0


class FakeDrive(Making):
    """All of Google Drive that the tests need.

    Attributes:
        url: Where it listens; set by `serving`.
        incomplete_search: What searches over several drives say of themselves.
        export_limit: Bytes that `files.export` gives at most.
        polls: How often an operation of `files.download` says that it is not done.
        sharing_left: How many permissions may still be given; `None` for no limit.
        rotating: Whether refreshing gives a new refresh token, and ends the old one.
        validating: Whether answers are held against the schemas; requests always are.
    """

    def __init__(self, *, validating: bool = True) -> None:
        super().__init__()
        self.url = "http://127.0.0.1"
        self.incomplete_search = False
        self.export_limit = 10 * 2**20
        self.polls = 1
        self.sharing_left: int | None = None
        self.rotating = False
        self.validating = validating
        self.walks = Walks()
        self.orders = Orders()
        self.tokens: dict[str, Token] = {}
        self.grants: dict[str, Grant] = {}
        self.clients: dict[str, str] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.robots: dict[str, Robot] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, Session] = {}
        self.faults: list[Fault] = []
        self.requests: list[Recorded] = []
        self.violations: list[str] = []
        self.mails: list[Mail] = []

    def crowd(self, files: int, owner: str = "") -> None:
        """Fill a person's My Drive, the first one's unless told."""
        crowd(self.store, files, owner or next(iter(self.people.users)))

    def domain(self, name: str, *, share_out: bool = True, publish_out: bool = True) -> Domain:
        found = self.people.domain(name)
        found.share_out, found.publish_out = share_out, publish_out
        return found

    def token(
        self, email: str, scopes: Sequence[str] = ("drive",), *, app: str = "ringmain", label: str = ""
    ) -> str:
        """An access token; the same for the same words."""
        value = f"ya29.{secret(email, *scopes, app)}"
        short = tuple(one.removeprefix("https://www.googleapis.com/auth/") for one in scopes)
        lasts = self.time() + _LASTS
        self.tokens.setdefault(value, Token(label or email, value, email, app, short, lasts))
        return value

    def refresh_token(self, email: str, scopes: Sequence[str] = ("drive",), *, app: str = "ringmain") -> str:
        """What a person granted an app, as the app keeps it."""
        value = f"1//{secret('refresh', email, app, len(self.grants))}"
        short = tuple(one.removeprefix("https://www.googleapis.com/auth/") for one in scopes)
        self.grants[value] = Grant(email, app, short, value)
        return value

    def client(self, client_id: str, client_secret: str) -> None:
        """An app that may use OAuth."""
        self.clients[client_id] = client_secret

    def service_account(
        self, email: str, *, delegated: Sequence[str] = (), scopes: Sequence[str] = ("drive",)
    ) -> Mapping[str, str]:
        """A service account, which may act for the delegated people with these scopes; its key file."""
        if self.people.find(email) is None:
            self.user(email, email.partition("@")[0], robot=True, quota=0)
        self.robots[email] = Robot(email, tuple(delegated), tuple(scopes))
        return key_file(email, f"{self.url}/token")

    def revoke(self, token: str) -> None:
        """End an access token, or a refresh token with the access tokens of that person and app."""
        if token in self.tokens:
            self.tokens[token].revoked = True
            return
        grant = self.grants[token]
        grant.revoked = True
        for one in self.tokens.values():
            if (one.user, one.app) == (grant.user, grant.app):
                one.revoked = True

    def expire(self, token: str) -> None:
        self.tokens[token].expires = 0.0

    def expire_page_tokens(self) -> None:
        self.walks.clear()

    def fault(self, method: str, kind: str, times: int | None = 1, **more: Any) -> Fault:
        """Break requests whose method fits this pattern. See `faults.py`."""
        made = Fault(method, kind, times, **more)
        self.faults.append(made)
        return made

    def asked(self, method: str) -> list[Recorded]:
        return [one for one in self.requests if fnmatch.fnmatchcase(one.method, method)]

    def spend_share(self, name: str) -> None:
        """Count a permission that is given on the file of this name.

        Raises:
            Refusal: `sharingRateLimitExceeded`.
        """
        if self.sharing_left is None:
            return
        if self.sharing_left <= 0:
            message = (
                'Rate limit exceeded. User message: "These item(s) could not be shared because a rate limit '
                f'was exceeded: {name}"'
            )
            raise Refusal(403, "sharingRateLimitExceeded", message)
        self.sharing_left -= 1
