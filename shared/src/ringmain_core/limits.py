"""How much may be done in a time, as the policy file says it."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _rate_per_second(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _RATE.fullmatch(value.replace(" ", ""))
    if match is None:
        raise ValueError('a rate is written like "10/s", "120/m" or "500/h"')
    return float(match[1]) / _SECONDS[match[2]]


STRICT = ConfigDict(extra="forbid", frozen=True)
"""Of a part of the policy file: it takes no key that it does not know."""


class Limits(BaseModel):
    """How much one agent may do: calls per second, how many at once after a pause, how many side by side."""

    model_config = STRICT

    rate: Annotated[float, BeforeValidator(_rate_per_second), Field(ge=1e-6, allow_inf_nan=False)] = 10.0
    burst: Annotated[int, Field(ge=1)] = 20
    concurrency: Annotated[int, Field(ge=1)] = 8
