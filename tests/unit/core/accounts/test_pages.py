"""Connecting an account in a browser: what the page says, and everything that must not work."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from starlette.applications import Starlette

from ringmain_core.errors import AccountNeeded
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.endpoints import Endpoints
from ringmain_core.identity.accounts.pages import Pages
from ringmain_core.principal import LOCAL, Principal
from standins.oidc_accounts import form_on
from unit.core.accounts.desk import ANN, BASE, BOB, CLIENT, RING, AtDesk, at_desk, call_of

pytestmark = pytest.mark.anyio


@dataclass
class Flow:
    """Browsers in front of our pages; what the provider would do is done by hand."""

    at: AtDesk
    app: Starlette
    base: str

    @asynccontextmanager
    async def browser(self) -> AsyncGenerator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url=self.base) as browser:
            yield browser

    async def link(self, principal: Principal = ANN) -> str:
        with pytest.raises(AccountNeeded) as needed:
            await self.at.accounts.token(call_of(principal))
        assert needed.value.url in needed.value.message
        return needed.value.url

    async def asked(self, browser: httpx2.AsyncClient, link: str, **headers: str) -> dict[str, str]:
        """Open a link and say yes; what the provider is asked for."""
        form = form_on(await browser.get(link))
        answer = await browser.post(form.url, data=form.fields, headers=headers)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def back(
        self, browser: httpx2.AsyncClient, asked: dict[str, str], person: str = "ann", **more: str
    ) -> httpx2.Response:
        """Come back from the provider, where somebody has agreed."""
        answer = {"code": self.at.desk.code(person, asked), "state": asked["state"], **more}
        return await browser.get(f"/accounts/desk/callback?{urlencode(answer)}")


@asynccontextmanager
async def flow(base: str = BASE) -> AsyncGenerator[Flow]:
    async with at_desk(base) as at:
        yield Flow(at, Starlette(routes=Pages(at.accounts).routes()), base)


def said(page: httpx2.Response) -> str:
    """The words on a page."""
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", page.text, flags=re.DOTALL).split())


async def test_a_link_leads_to_a_token() -> None:
    async with flow() as at, at.browser() as browser:
        page = await at.back(browser, await at.asked(browser, await at.link()))
        assert page.status_code == 200
        assert said(page) == (
            "Connected Connected The Desk account ann@example.com is connected to the agent “ann” . You can "
            "close this page."
        )
        token = await at.at.accounts.token(call_of(ANN))
        assert (token.identity.id, at.at.desk.works_for(token.value.get_secret_value())) == ("ann", "ann")


async def test_the_page_says_who_gets_what_and_warns_of_foreign_links() -> None:
    async with flow() as at, at.browser() as browser:
        page = await browser.get(await at.link())
        assert said(page) == (
            "Connect Desk? Connect Desk? Your Desk account will be connected to the agent “ann” , who can "
            "then use it as you could, within these permissions: files mail Go on only if the agent “ann” is "
            "yours and you have just asked for this. If somebody sent you this link, close this page: "
            "whoever uses the agent “ann” would work with your Desk account. Continue to Desk"
        )


async def test_the_local_user_is_not_called_an_agent() -> None:
    async with flow() as at, at.browser() as browser:
        page = await browser.get(await at.link(LOCAL))
        assert "connected to the programs that you run on this computer" in said(page)


async def test_the_pages_are_shown_to_one_browser_only_and_run_nothing() -> None:
    async with flow() as at, at.browser() as browser:
        page = await browser.get(await at.link())
        nonce = re.search(r'<style nonce="([\w-]{20,})">', page.text)
        assert nonce is not None
        assert page.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'nonce-{nonce[1]}'; form-action 'self' https:; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        cookie = re.fullmatch(r"__Host-ringmain-[0-9a-f]{16}=[\w-]{43}; (.*)", page.headers["set-cookie"])
        assert cookie is not None
        assert cookie[1] == "HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"
        assert "<script" not in page.text
        done = await at.back(browser, await at.asked(browser, await at.link()))
        assert done.headers["referrer-policy"] == "no-referrer"
        assert "Max-Age=0; Path=/; SameSite=lax; Secure" in done.headers["set-cookie"]


async def test_on_loopback_the_cookie_works_without_tls() -> None:
    async with flow("http://127.0.0.1:8080") as at, at.browser() as browser:
        page = await browser.get(await at.link())
        assert re.fullmatch(
            r"ringmain-[0-9a-f]{16}=[\w-]{43}; HttpOnly; Max-Age=600; Path=/; SameSite=lax",
            page.headers["set-cookie"],
        )


async def test_the_provider_is_asked_with_proof_and_state() -> None:
    async with flow() as at, at.browser() as browser:
        asked = await at.asked(browser, await at.link())
        assert re.fullmatch(r"[\w-]{43}", asked.pop("code_challenge"))
        assert re.fullmatch(r"[0-9a-f]{16}\.[\w-]+", asked.pop("state"))
        assert asked == {
            "access_type": "offline",
            "response_type": "code",
            "client_id": "ringmain",
            "redirect_uri": f"{BASE}/accounts/desk/callback",
            "code_challenge_method": "S256",
            "scope": "files mail",
        }


async def test_a_link_works_once() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as other:
        link = await at.link()
        await at.asked(browser, link)
        form = form_on(await other.get(link))
        again = await other.post(form.url, data=form.fields)
        assert (again.status_code, "has been used before" in again.text) == (400, True)


async def test_of_two_that_say_yes_to_one_link_one_goes_on() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as other:
        link = await at.link()
        forms = [form_on(await each.get(link)) for each in (browser, other)]
        answers = await asyncio.gather(
            *(
                each.post(form.url, data=form.fields)
                for each, form in zip((browser, other), forms, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [302, 400]


async def test_an_answer_of_the_provider_works_once() -> None:
    async with flow() as at, at.browser() as browser:
        asked = await at.asked(browser, await at.link())
        browser.cookies.set("kept", "yes")
        cookies = dict(browser.cookies)
        await at.back(browser, asked)
        for name, value in cookies.items():
            browser.cookies.set(name, value)
        again = await at.back(browser, asked, person="bob")
        assert (again.status_code, "used before" in again.text) == (400, True)
        assert (await at.at.kept(ANN)).identity.id == "ann"


async def test_the_answer_counts_in_the_browser_that_began_only() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as victim:
        asked = await at.asked(browser, await at.link())
        page = await at.back(victim, asked)
        assert (page.status_code, "has not opened the link" in page.text) == (400, True)
        await victim.get(await at.link())  # a cookie of another flow is no help
        for name, value in list(victim.cookies.items()):
            victim.cookies.set(name.rpartition("-")[0] + "-" + asked["state"].partition(".")[0], value)
        page = await at.back(victim, asked)
        assert (page.status_code, "begun in another browser" in page.text) == (400, True)
        assert at.at.store.rows == {}
        assert at.at.desk.asked == []


async def test_a_form_from_elsewhere_is_refused() -> None:
    async with flow() as at, at.browser() as browser:
        form = form_on(await browser.get(await at.link()))
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
        ):
            refused = await browser.post(form.url, data=form.fields, headers=headers)
            assert refused.status_code == 403, headers
        headers = {"sec-fetch-site": "same-origin", "origin": BASE}
        assert (await browser.post(form.url, data=form.fields, headers=headers)).status_code == 302


async def test_a_form_without_its_page_is_refused() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as other:
        form = form_on(await browser.get(await at.link()))
        attempts: list[tuple[httpx2.AsyncClient, dict[str, str]]] = [
            (other, form.fields),  # another browser
            (browser, {}),
            (browser, {"form": form.fields["form"][:-2]}),
            (browser, {"form": "x" * 20_000}),
            (browser, {"form": (await at.link()).partition("ticket=")[2]}),  # a link is no form
        ]
        for who, fields in attempts:
            assert (await who.post(form.url, data=fields)).status_code == 400, fields


@pytest.mark.parametrize("late", ["link", "form", "state"])
async def test_after_ten_minutes_nothing_works_any_more(late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def later() -> None:
        then = time.time() + 601
        monkeypatch.setattr(time, "time", lambda: then)

    async with flow() as at, at.browser() as browser:
        link = await at.link()
        if late == "link":
            later()
            page = await browser.get(link)
        elif late == "form":
            form = form_on(await browser.get(link))
            later()
            page = await browser.post(form.url, data=form.fields)
        else:
            asked = await at.asked(browser, link)
            later()
            page = await at.back(browser, asked)
        assert page.status_code == 400
        assert at.at.desk.asked == []


async def test_the_account_belongs_to_whom_the_link_was_made_for() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as other:
        anns, bobs = await at.link(ANN), await at.link(BOB)
        asked_ann, asked_bob = await at.asked(browser, anns), await at.asked(other, bobs)
        await at.back(other, asked_bob, person="bob")
        await at.back(browser, asked_ann, person="ann")
        owners = [(await at.at.accounts.token(call_of(who))).identity.id for who in (ANN, BOB)]
        assert owners == ["ann", "bob"]


async def test_a_code_of_another_flow_is_refused_by_its_proof() -> None:
    async with flow() as at, at.browser() as browser, at.browser() as other:
        mine, foreign = await at.asked(browser, await at.link()), await at.asked(other, await at.link(BOB))
        injected = {"code": at.at.desk.code("bob", foreign), "state": mine["state"]}
        page = await browser.get(f"/accounts/desk/callback?{urlencode(injected)}")
        assert (page.status_code, "Desk refuses: invalid_grant" in said(page)) == (400, True)
        assert at.at.store.rows == {}


async def test_an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere() -> None:
    async with flow() as at, at.browser() as browser:
        asked = await at.asked(browser, await at.link())
        page = await at.back(browser, asked, iss="https://evil.example")
        assert (page.status_code, "does not come from Desk" in said(page)) == (400, True)
        assert at.at.desk.asked == []
        page = await at.back(browser, asked, iss="https://desk.example.com")
        assert page.status_code == 200


async def test_what_the_provider_says_is_shown_as_text() -> None:
    async with flow() as at, at.browser() as browser:
        asked = await at.asked(browser, await at.link())
        answer = {
            "state": asked["state"],
            "error": "access_denied",
            "error_description": "<script>alert(1)</script>\u202e" + "x" * 1000,
        }
        page = await browser.get(f"/accounts/desk/callback?{urlencode(answer)}")
        assert page.status_code == 400
        assert "<script" not in page.text
        assert "Desk says: access_denied &lt;script&gt;alert(1)&lt;/script&gt;xxx" in page.text
        assert "\u202e" not in page.text
        assert "x" * 300 not in page.text
        assert at.at.store.rows == {}


async def test_hostile_names_do_not_become_markup() -> None:
    async with flow() as at, at.browser() as browser:
        page = await browser.get(await at.link(Principal('"><img src=x>', "jwt")))
        assert "<img" not in page.text
        assert "&quot;&gt;&lt;img src=x&gt;" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=x",
        "code=c&state=0000000000000000.AAAA",
        "state=a&state=b&code=c",
        "code=c&state=" + "A" * 50_000,
        "code=c&state=%00%ff.",
    ],
    ids=["empty", "no code", "unknown", "twice", "long", "bytes"],
)
async def test_a_callback_that_nobody_asked_for_is_refused(query: str) -> None:
    async with flow() as at, at.browser() as browser:
        assert (await browser.get(f"/accounts/desk/callback?{query}")).status_code == 400
        assert (await browser.get(f"/accounts/desk/connect?{query}")).status_code == 400
        assert at.at.desk.asked == []


async def test_other_methods_and_providers_have_no_page() -> None:
    async with flow() as at, at.browser() as browser:
        assert (await browser.post("/accounts/desk/callback")).status_code == 405
        assert (await browser.get("/accounts/other/connect?ticket=x")).status_code == 404


async def test_where_accounts_cannot_be_kept_a_person_is_told_so() -> None:
    async with flow() as at, at.browser() as browser:
        asked = await at.asked(browser, await at.link())
        at.at.store.broken = 1
        page = await at.back(browser, asked)
        assert (page.status_code, "cannot be reached" in said(page)) == (503, True)


async def test_a_link_of_another_registration_or_provider_does_not_open() -> None:
    async with flow() as at:
        link = (await at.link()).partition("ticket=")[2]

        async def reach() -> str:
            return BASE

        client = type(CLIENT)(CLIENT.provider, "another", CLIENT.client_secret)
        others: Any = Accounts(client, at.at.store, RING, reach, Endpoints(client))
        app = Starlette(routes=Pages(others).routes())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as browser:
            assert (await browser.get(f"/accounts/desk/connect?ticket={link}")).status_code == 400
