"""Protected resource metadata (RFC 9728): where clients get tokens for this server, and for what."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.issuers import Issuer
from ringmain_core.on_disk import is_loopback
from ringmain_core.policy import Policy
from ringmain_core.settings import CoreSettings
from ringmain_core.transport.refusals import Challenge

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_ACCESSES = ("read", "write", "destructive")


def require_public_url(core: CoreSettings, issuers: Collection[Issuer]) -> None:
    """Raise where clients would be told to get tokens for an address that they do not use."""
    if issuers and core.public_url is None and not is_loopback(core.host):
        raise ConfigurationError(
            f"the policy names issuers, and clients reach {core.host} by a name that nobody can guess. Set "
            "RINGMAIN_PUBLIC_URL to the address they use, such as https://mcp.example.com."
        )


class ResourceMetadata:
    """What clients are told about tokens; nothing while the policy has no issuers.

    Args:
        paths: Those that speak MCP; each is a resource of its own, and so is the whole server.
        public_url: What clients put in front of the paths; without it, `http://` and the Host header.
        policy: The policy in force: whose tokens are taken can change while the server runs.
    """

    def __init__(
        self,
        connector: AnyConnector,
        paths: Collection[str],
        public_url: str | None,
        policy: Callable[[], Policy],
    ) -> None:
        self._name = connector.title
        declared = {declaration.access for declaration in connector.declarations()}
        self._scopes = [f"{connector.name}:{access}" for access in _ACCESSES if access in declared]
        self._paths = frozenset(paths)
        self._public_url = public_url
        self._public_path = urlsplit(public_url).path if public_url is not None else ""
        self._policy = policy

    def routes(self) -> list[BaseRoute]:
        """Where the metadata is served: for a resource at a path, the path follows the well-known one."""

        async def serve(request: Request) -> Response:
            document = self.document(request.path_params.get("path", ""), request.headers["host"])
            if document is None:
                return JSONResponse({"detail": "Not Found"}, 404)
            return JSONResponse(document, headers={"Cache-Control": "max-age=300"})

        return [Route(WELL_KNOWN, serve), Route(WELL_KNOWN + "{path:path}", serve)]

    def document(self, path: str, host: str) -> Mapping[str, Any] | None:
        """The metadata of the resource at a path (`""` is the whole server), `None` where there is none."""
        issuers = self._policy().issuers.values()
        path = path.removeprefix(self._public_path)  # clients that go by the rule put all of it behind
        if not issuers or (path and path not in self._paths):
            return None
        metadata: dict[str, Any] = {
            "resource": self._base(host) + path,
            "resource_name": self._name,
            "authorization_servers": [issuer.issuer for issuer in issuers],
            "bearer_methods_supported": ["header"],
        }
        if any(issuer.scopes for issuer in issuers):
            metadata["scopes_supported"] = self._scopes
        return metadata

    def challenge(self, path: str, host: str) -> Challenge:
        """What `WWW-Authenticate` says about a resource: where its metadata is, and what to ask for.

        That is everything there is, for clients register with what they are told first, and some issuers
        never give them more than that later.
        """
        issuers = self._policy().issuers.values()
        if not issuers or path not in self._paths:
            return ()
        parameters = [("resource_metadata", f"{self._base(host)}{WELL_KNOWN}{path}")]
        if self._scopes and any(issuer.scopes for issuer in issuers):
            parameters.append(("scope", " ".join(self._scopes)))
        return parameters

    def _base(self, host: str) -> str:
        return self._public_url or f"http://{host}"
