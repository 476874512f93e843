"""AWS Secrets Manager, with the credentials that AWS' own tools find."""

import importlib
from typing import Any

from ringmain_core.secrets.reference import Unresolved
from ringmain_core.secrets.settings import AwsSettings
from ringmain_core.secrets.sources import OutOfReach

_SECONDS_TO_CONNECT, _SECONDS_TO_READ, _TRIES = 3, 4, 2
_REFUSED = {
    "ResourceNotFoundException": "AWS Secrets Manager has no such secret",
    "AccessDeniedException": "AWS does not let these credentials read it (secretsmanager:GetSecretValue)",
    "DecryptionFailure": "AWS does not let these credentials decrypt it (kms:Decrypt)",
    "InvalidRequestException": "the secret is marked for deletion",
}
_TROUBLE = {
    "NoRegionError": "AWS wants a region: set RINGMAIN_AWS_REGION",
    "NoCredentialsError": "AWS' library finds no credentials",
    "PartialCredentialsError": "AWS' library finds credentials that are not complete",
}


class SecretsManager:
    """A client that reads. It keeps no connection between two readings: the process may fork."""

    def __init__(self, settings: AwsSettings) -> None:
        try:  # an extra, and it ships no types
            self._boto3: Any = importlib.import_module("boto3")
        except ImportError:
            raise OutOfReach("AWS' library is missing: install `ringmain-core[aws]`") from None
        self._core: Any = importlib.import_module("botocore.config")
        self._errors: Any = importlib.import_module("botocore.exceptions")
        self._settings = settings
        self._clients: dict[str | None, Any] = {}

    def due(self) -> float | None:
        """Never: its credentials are looked after by AWS' library."""
        return None

    def read(self, place: str) -> str:
        """The current version of a secret, by its name or ARN."""
        try:
            client = self._client(place)
            try:
                answer = client.get_secret_value(SecretId=place)
            finally:
                client.close()  # the connections; it goes on to be of use
        except self._errors.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            raise Unresolved(_REFUSED.get(code, f"AWS Secrets Manager refuses ({code})")) from None
        except self._errors.BotoCoreError as error:
            name = type(error).__name__
            said = _TROUBLE.get(name, f"AWS Secrets Manager cannot be reached ({name})")
            raise OutOfReach(said) from None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise Unresolved("it is binary; keep it as a text")
        return text

    def _client(self, place: str) -> Any:
        parts = place.split(":")  # arn:aws:secretsmanager:REGION:account:secret:name
        region = self._settings.region or (parts[3] if parts[0] == "arn" and len(parts) == 7 else None)
        if region not in self._clients:
            self._clients[region] = self._boto3.session.Session().client(
                "secretsmanager",
                region_name=region,
                endpoint_url=self._settings.endpoint,
                config=self._core.Config(
                    connect_timeout=_SECONDS_TO_CONNECT,
                    read_timeout=_SECONDS_TO_READ,
                    retries={"total_max_attempts": _TRIES, "mode": "standard"},
                ),
            )
        return self._clients[region]
