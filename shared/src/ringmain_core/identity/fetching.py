"""Fetches what issuers publish: small JSON objects, from where they say, in a bounded time."""

from typing import Any, cast

import anyio

from ringmain_core.identity.issuers import is_safe_url
from ringmain_core.transport.strict_json import NotStrictJson, loads_strict

_WITHIN = 10.0
_MOST_BYTES = 256 * 1024
_OK = 200


class Unfetchable(Exception):
    """What was asked for cannot be had; the text says why, for an operator."""


async def fetch_json(url: str, *, loopback: bool) -> dict[str, Any]:
    """Fetch a JSON object; redirects are not followed.

    Args:
        url: An https URL.
        loopback: Whether http to this machine will do as well.

    Raises:
        Unfetchable: With the reason, also after 10 seconds and beyond 256 KiB.
    """
    import httpx2

    if not is_safe_url(url, loopback=loopback):
        raise Unfetchable(f"{url[:200]!r} is not an https address")
    # As it is: what is not compressed cannot become larger than what was counted.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body = bytearray()
    try:
        with anyio.fail_after(_WITHIN):
            async with httpx2.AsyncClient() as client, client.stream("GET", url, headers=headers) as response:
                if response.status_code != _OK:
                    raise Unfetchable(f"{url} answers {response.status_code}")
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise Unfetchable(f"{url} answers more than {_MOST_BYTES:,} bytes")
        value = loads_strict(bytes(body))
    except TimeoutError:
        raise Unfetchable(f"{url} does not answer within {_WITHIN:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unfetchable(f"{url} cannot be reached ({type(error).__name__})") from error
    except NotStrictJson as error:
        raise Unfetchable(f"{url} does not answer with JSON ({error})") from error
    if not isinstance(value, dict):
        raise Unfetchable(f"{url} does not answer with a JSON object")
    return cast("dict[str, Any]", value)
