"""The pages a person sees while an account is connected: plain HTML without scripts, shown to one browser."""

import html
import secrets
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ringmain_core.identity.accounts.flow import NotConnected
from ringmain_core.identity.accounts.stores import StoreUnavailable
from ringmain_core.identity.accounts.tickets import LIVES, NotValid

if TYPE_CHECKING:
    from ringmain_core.identity.accounts.accounts import Accounts

_MOST_BYTES = 16 * 1024
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.4rem}.who{font-weight:600}.mind{border-left:4px solid #b45309;"
    "padding:.25rem 1rem;background:#fffbeb}button{font:inherit;padding:.5rem 1.25rem;border:0;"
    "border-radius:.4rem;background:#14532d;color:#fff;cursor:pointer}code{overflow-wrap:anywhere}"
)


_Serve = Callable[[Request], Awaitable[Response]]


class _NotFromHere(Exception):
    """A form that was not sent by our own page."""


class Pages:
    """Serves the flow of one provider.

    Args:
        accounts: What is connected.
        connected: Called when an account was connected, after the browser has been told.
    """

    def __init__(self, accounts: "Accounts", connected: Callable[[], None] = lambda: None) -> None:
        self._accounts = accounts
        self._connected = connected

    def routes(self) -> list[Route]:
        """To be added to the app that serves everything else."""
        connect, callback = (self._accounts.path(step) for step in ("connect", "callback"))
        return [
            Route(connect, self._guarded(self._ask), methods=["GET"]),
            Route(connect, self._guarded(self._go), methods=["POST"]),
            Route(callback, self._guarded(self._come_back), methods=["GET"]),
        ]

    def _guarded(self, serve: _Serve) -> _Serve:
        async def guarded(request: Request) -> Response:
            try:
                return await serve(request)
            except (NotValid, NotConnected) as error:
                return _page("Not connected", f"<p>{html.escape(str(error))}</p>", status=400)
            except _NotFromHere:
                words = "<p>This was not sent by the page that asks for it. Open the link again.</p>"
                return _page("Not connected", words, status=403)
            except StoreUnavailable:
                words = "<p>Where accounts are kept cannot be reached. Try again later.</p>"
                return _page("Not now", words, status=503)

        return guarded

    async def _ask(self, request: Request) -> Response:
        link = _once(request).get("ticket", "")
        consent = self._accounts.flow.consent(link)
        title = html.escape(self._accounts.provider.title)
        scopes = "".join(f"<li><code>{html.escape(scope)}</code></li>" for scope in consent.ticket.scopes)
        who = html.escape(called(consent.ticket.owner))
        body = (
            f'<p>Your {title} account will be connected to <span class="who">{who}</span>, who can then use '
            f"it as you could, within these permissions:</p><ul>{scopes or '<li>those of the app</li>'}</ul>"
            f'<div class="mind"><p>Go on only if <span class="who">{who}</span> is yours and you have just '
            "asked for this. If somebody sent you this link, close this page: whoever uses "
            f'<span class="who">{who}</span> would work with <em>your</em> {title} account.</p></div>'
            '<form method="post" action="connect">'
            f'<input type="hidden" name="form" value="{html.escape(consent.form)}">'
            f"<p><button>Continue to {title}</button></p></form>"
        )
        # With `no-referrer`, browsers send `Origin: null` with the form, which our own front refuses.
        page = _page(
            f"Connect {self._accounts.provider.title}?",
            body,
            referrer="same-origin",
            form_action=f"'self' {self._origins_of_provider()}",
        )
        secure = await self._is_https()
        page.set_cookie(
            _cookie_name(consent.ticket.id, secure=secure),
            consent.cookie,
            max_age=int(LIVES),
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        return page

    async def _go(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise _NotFromHere
        redirect_uri = await self._accounts.redirect_uri()
        if request.headers.get("origin", _origin(redirect_uri)) != _origin(redirect_uri):
            raise _NotFromHere
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise NotValid("This form is too large.")
        form = parse_qs(body.decode("ascii", "replace")).get("form", [""])[0]
        cookie = _cookie(request, form.partition(".")[0], secure=redirect_uri.startswith("https:"))
        there = await self._accounts.flow.approve(form, cookie, redirect_uri)
        return RedirectResponse(there, status_code=302, headers=_headers("default-src 'none'", "no-referrer"))

    async def _come_back(self, request: Request) -> Response:
        answer = _once(request)
        id_ = answer.get("state", "").partition(".")[0]
        secure = await self._is_https()
        ticket, account = await self._accounts.flow.finish(answer, _cookie(request, id_, secure=secure))
        page = _page(
            "Connected",
            f"<p>The {html.escape(self._accounts.provider.title)} account "
            f'<span class="who">{html.escape(account.identity.label)}</span> is connected to '
            f'<span class="who">{html.escape(called(ticket.owner))}</span>. You can close this page.</p>',
        )
        page.delete_cookie(
            _cookie_name(ticket.id, secure=secure), path="/", secure=secure, httponly=True, samesite="lax"
        )
        self._connected()
        return page

    async def _is_https(self) -> bool:
        return (await self._accounts.redirect_uri()).startswith("https:")

    def _origins_of_provider(self) -> str:
        """Where the form may lead: browsers apply it to every redirect, and providers send people around."""
        origin = _origin(self._accounts.provider.authorization_endpoint)
        return "https:" if origin.startswith("https:") else origin


def called(owner: str) -> str:
    """An owner (`Principal.owner`) in words for a person."""
    auth, _, name = owner.partition(":")
    return "the programs that you run on this computer" if auth == "local" else f"the agent “{name}”"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _once(request: Request) -> dict[str, str]:
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotValid("This address says something twice. Ask for a new link.")
    return dict(pairs)


def _cookie_name(id_: str, *, secure: bool) -> str:
    # The prefix has browsers refuse one that another host or page without TLS has set.
    return f"{'__Host-' if secure else ''}ringmain-{id_}"


def _cookie(request: Request, id_: str, *, secure: bool) -> str:
    jar = SimpleCookie()
    for header in request.headers.getlist("cookie"):
        try:
            jar.load(header)
        except CookieError:
            continue
    found = jar.get(_cookie_name(id_, secure=secure))
    if found is None or not found.value:
        raise NotValid(
            "This browser has not opened the link, or does not keep cookies. Open the link in this browser."
        )
    return found.value


def _headers(policy: str, referrer: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": referrer,
        "X-Content-Type-Options": "nosniff",
    }


def _page(
    title: str, body: str, *, status: int = 200, referrer: str = "no-referrer", form_action: str = "'none'"
) -> Response:
    """A page; `body` is HTML, so everything foreign in it is escaped already."""
    nonce, title = secrets.token_urlsafe(16), html.escape(title)
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f'<style nonce="{nonce}">{_STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>'
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return Response(text, status, _headers(policy, referrer), "text/html")
