"""How the secrets managers are reached; read only when a setting refers to one."""

import os
from pathlib import Path
from typing import Annotated, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ringmain_core.secrets.reference import Unresolved

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def _private(address: str) -> str:
    """Refuse an address to which a credential would go in the clear."""
    from ringmain_core.on_disk import is_loopback

    parts = urlsplit(address)
    encrypted = parts.scheme == "https"
    more = parts.username or parts.query or parts.fragment or parts.port == 0
    if not parts.hostname or more or not (encrypted or parts.scheme == "http"):
        raise ValueError("write it like https://host:port")
    if not encrypted and not is_loopback(parts.hostname):
        raise ValueError("http:// is for this machine only; use https://")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_private)]


class VaultSettings(BaseSettings):
    """Vault or OpenBao, read from `RINGMAIN_VAULT_*`. One of token, role and Kubernetes role is needed."""

    model_config = SettingsConfigDict(
        env_prefix="RINGMAIN_VAULT_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    addr: Annotated[
        Address,
        Field(description="Address of Vault or OpenBao for `vault:` references, `https://host:8200`."),
    ]
    token: Annotated[SecretStr | None, Field(description="A token for it, or `file:` with its path.")] = None
    role_id: Annotated[str | None, Field(description="Or an AppRole,")] = None
    secret_id: Annotated[
        SecretStr | None, Field(description="with its secret id, or `file:` with the path of that.")
    ] = None
    kubernetes_role: Annotated[str | None, Field(description="Or a role for the pod's service account.")] = (
        None
    )
    kubernetes_token: Annotated[
        Path, Field(description="Where the pod finds its service account's token.")
    ] = _SERVICE_ACCOUNT
    auth_mount: Annotated[
        str, Field(description="Where that login is mounted, if not at `approle` or `kubernetes`.")
    ] = ""
    namespace: Annotated[str, Field(description="The namespace to work in.")] = ""
    cacert: Annotated[
        Path | None, Field(description="A PEM file with the authority behind its certificate.")
    ] = None

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        logins = [self.token, self.role_id, self.kubernetes_role]
        if sum(login is not None for login in logins) != 1:
            raise ValueError(
                "set one of RINGMAIN_VAULT_TOKEN, RINGMAIN_VAULT_ROLE_ID and RINGMAIN_VAULT_KUBERNETES_ROLE"
            )
        return self


class AwsSettings(BaseSettings):
    """AWS Secrets Manager, read from `RINGMAIN_AWS_*`. The credentials are those that AWS' own tools find."""

    model_config = SettingsConfigDict(
        env_prefix="RINGMAIN_AWS_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    region: Annotated[
        str | None, Field(description="Region for `aws-sm:` references; unset, what AWS' own tools take.")
    ] = None
    endpoint: Annotated[
        Address | None,
        Field(description="Another address of Secrets Manager: a private endpoint, a stand-in."),
    ] = None


def read(kind: type[SettingsT]) -> SettingsT:
    """The settings of a secrets manager.

    Raises:
        Unresolved: Naming the variables, where they cannot be used.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix"))
        faults = [
            (f"{prefix}{fault['loc'][0]}".upper() + ": " if fault["loc"] else "")
            + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise Unresolved("; ".join(faults)) from None


def environment(name: str) -> str | None:
    """A variable of the environment, whatever it is called."""
    return os.environ.get(name)
