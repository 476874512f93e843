"""A real authorization server where people have accounts (npm `oidc-provider`), and a browser for it."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

import httpx2

from standins.node import node

CLIENT_ID = "ringmain"
CLIENT_SECRET = "a-secret-of-the-registered-app"
_FORM = re.compile(r"<form[^>]*\baction=\"([^\"]*)\"[^>]*>(.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<input[^>]*\bname=\"([^\"]*)\"(?:[^>]*\bvalue=\"([^\"]*)\")?")
_MOST_STEPS = 20


@contextmanager
def running_provider() -> Generator[str]:
    """Start it on a free port, and stop it in the end.

    Yields:
        Its issuer, which is its address too.
    """
    process = subprocess.Popen(
        [str(node()), str(Path(__file__).with_suffix(".mjs"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        lines = iter(process.stdout)
        yield next(line for line in lines if line.startswith("http")).strip()
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()


@dataclass(frozen=True, slots=True)
class Form:
    """A form on a page: where it leads, and what is filled in already."""

    url: str
    fields: dict[str, str]


def form_on(response: httpx2.Response) -> Form:
    """The one form on a page."""
    found = _FORM.search(response.text)
    assert found is not None, response.text
    fields = {name: unescape(value or "") for name, value in _FIELD.findall(found[2])}
    return Form(urljoin(str(response.url), unescape(found[1])), fields)


class Browser:
    """Follows links and redirects and keeps cookies, as the person at it wants.

    Args:
        person: Who logs in at the provider.
    """

    def __init__(self, person: str) -> None:
        self._person = person
        self.http = httpx2.AsyncClient(follow_redirects=False, timeout=10)

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def follow(self, response: httpx2.Response) -> httpx2.Response:
        """Go where an answer leads, until a page is there."""
        for _ in range(_MOST_STEPS):
            if response.status_code not in (302, 303):
                return response
            response = await self.http.get(urljoin(str(response.url), response.headers["location"]))
        raise AssertionError("redirected for ever")

    async def connect(self, link: str, *, agree: bool = True) -> httpx2.Response:
        """Open a link, say yes on our page, log in at the provider, say yes (or no) there; the last page."""
        page = await self.http.get(link)
        assert page.status_code == 200, page.text
        form = form_on(page)
        page = await self.follow(await self.http.post(form.url, data=form.fields))
        for _ in range(2):  # login and consent, or consent alone
            if "/interaction/" not in str(page.url):
                break
            form = form_on(page)
            if not agree:
                return await self.follow(await self.http.get(f"{page.url}/abort"))
            filled = form.fields | (
                {"login": self._person, "password": "-"} if "login" in form.fields else {}
            )
            page = await self.follow(await self.http.post(form.url, data=filled))
        return page
