"""What `doctor` says about secrets that are kept elsewhere."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from pydantic import BaseModel

from ringmain_core.connector import Check
from ringmain_core.secrets.keeper import Secrets
from ringmain_core.secrets.managed import ManagedSecret


async def check_references(secrets: Secrets, *settings: BaseModel) -> AsyncIterator[Check]:
    """Follow every reference once more, and say which setting has it and whether it leads to a secret."""
    names: dict[ManagedSecret, str] = {}
    for model in settings:
        for name, secret in _secrets_of(model):
            names.setdefault(secret, name)
    for secret, why in (await secrets.look()).items():
        what = names.get(secret, "policy")  # the only other place that may refer
        if why:
            yield Check(
                what, "failed", f"{secret.reference}: {why}", "Mend the reference, or what it leads to."
            )
        else:
            yield Check(what, "ok", f"{secret.reference}: there")


def _secrets_of(model: BaseModel) -> Iterator[tuple[str, ManagedSecret]]:
    """Each secret with the variable that has it, or with its keys in a file that the settings name."""
    prefix = str(model.model_config.get("env_prefix", ""))
    for name, value in dict(model).items():
        variable = name in type(model).model_fields
        for path, secret in _walk(value, name):
            yield (f"{prefix}{path.replace('.', '__')}".upper() if variable else path), secret


def _walk(value: object, path: str) -> Iterator[tuple[str, ManagedSecret]]:
    if isinstance(value, ManagedSecret):
        yield path, value
    elif isinstance(value, (BaseModel, dict)):
        for key, item in dict(cast("dict[Any, object]", value)).items():
            yield from _walk(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _walk(item, f"{path}.{index}")
