"""What an operator says about vector search."""

import os
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from ringmain_core.secrets import Secret
from ringmain_core.settings import ConnectorSettings
from ringmain_vector.domain import FieldType


class Adoption(BaseModel):
    """Where a collection that others have made keeps what: a table's columns, or a payload's paths.

    Attributes:
        source: Table with its schema, or collection at the Qdrant server.
        model: The embedder that its vectors were made with.
        dimension: Of its vectors; Qdrant says it itself.
        id: Column of the ids; Qdrant's points have their own.
        vector: Column, or name of the vector; empty for Qdrant's unnamed one.
        metadata: Column of the type jsonb, or path of an object with the rest; a table without one has
            its `fields` as columns.
        fields: That can be filtered by, with their types.
        tenant: Column that says whose a row is: the agent, or the value of the claim.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    model: str
    dimension: int = 0
    id: str = "id"
    text: str = "text"
    vector: str = ""
    title: str = ""
    uri: str = ""
    metadata: str = ""
    fields: dict[str, FieldType] = {}
    tenant: str = ""


class VectorSettings(ConnectorSettings):
    """Read from `RINGMAIN_VECTOR_*`: where the passages are, and what turns texts into vectors."""

    model_config = SettingsConfigDict(env_prefix="RINGMAIN_VECTOR_")

    store: Annotated[
        Secret | None,
        Field(
            description="`edge:///folder` (the default, in the state directory), `qdrant+https://host`, "
            "`postgresql://…`, `embedded-pg:///folder`, `memory:`."
        ),
    ] = None
    store_key: Annotated[Secret | None, Field(description="The API key of a Qdrant server.")] = None
    other_store_key: Annotated[
        Secret | None,
        Field(description="The API key of another Qdrant server that `migrate` names; none is sent without."),
    ] = None
    adopt: dict[str, Adoption] = Field(
        default_factory=dict,
        description="Collections that others have made, searched only, as JSON by name: "
        '`{"wiki": {"source": "public.wiki", "model": "…", "text": "body", "vector": "embedding"}}`.',
    )
    embedder: Annotated[
        str,
        Field(
            description="`minilm` (comes along, English), `minilm:/model.onnx`, `openai:<model>@<url>`, "
            "`fastembed:<model>`, `hash`."
        ),
    ] = "minilm"
    embedder_key: Annotated[Secret | None, Field(description="The API key of an `openai:` embedder.")] = None
    collection: Annotated[str, Field(description="The collection that is meant where none is named.")] = (
        "docs"
    )
    writes: Annotated[
        bool | None,
        Field(description="Offer tools that add and delete; by default only for embedded stores."),
    ] = None
    tenants: Annotated[
        Literal["off", "agent", "claim"],
        Field(description="Who sees what: everybody all, each agent its own, or by `tenant_claim`."),
    ] = "off"
    tenant_claim: Annotated[
        str, Field(description="The claim of a caller's token that says whose passages it may see.")
    ] = "tenant"
    top_k: Annotated[int, Field(ge=1, le=50, description="Hits where a call does not say.")] = 8
    at_once: Annotated[int, Field(ge=1, le=64, description="Requests to the store side by side.")] = 8
    request_timeout: Annotated[
        float, Field(gt=0, description="Seconds to wait for one answer of a store or embedder.")
    ] = 30.0


def silence_onnx_runtime() -> None:
    """Keep it from reporting to its maker; it looks into the environment when it is loaded."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
