"""A connector at work on the stand-in, and its answers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from ringmain_core.cursors import Cursors
from ringmain_core.services import Services
from ringmain_github.api import GitHub, connect
from ringmain_github.settings import GitHubSettings


def settings_for(url: str, token: str, **more: Any) -> GitHubSettings:
    return GitHubSettings(url=url, token=SecretStr(token), **more)


@asynccontextmanager
async def connected(settings: GitHubSettings, services: Services | None = None) -> AsyncGenerator[GitHub]:
    """GitHub as the process itself would use it, outside of any call."""
    async with connect(settings, services or Services(Cursors(b"0" * 32))) as github:
        yield github


def text_of(result: Any) -> str:
    """What a model reads."""
    (content,) = result.content
    return content.text
