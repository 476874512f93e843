import socket
import stat
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError
from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.telemetry.scraping import metrics_port, metrics_served
from unit.core.demo import connector
from unit.core.telemetry.observing import counted, sample, samples

TOKEN = "a token of sixteen and more"


async def scrape(core: CoreSettings, metrics: Metrics, *requests: dict[str, Any]) -> list[httpx2.Response]:
    """Serve on a free port and send some requests."""
    with metrics_port(core) as port:
        assert port is not None
        base = port.url.removesuffix("/metrics")
        async with metrics_served(metrics, core, port), httpx2.AsyncClient() as client:
            with anyio.fail_after(10):
                return [
                    await client.request(
                        request.get("method", "GET"),
                        f"{base}{request.get('path', '/metrics')}",
                        headers=request.get("headers", {}),
                    )
                    for request in requests
                ]


@pytest.mark.anyio
async def test_prometheus_reads_the_metrics_in_the_format_it_asks_for() -> None:
    metrics = Metrics(connector)
    metrics.retry("postgres:crm")
    plain, more = await scrape(
        CoreSettings(metrics_port=0),
        metrics,
        {},
        {"headers": {"Accept": "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.3"}},
    )
    assert (plain.status_code, more.status_code) == (200, 200)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain.headers["cache-control"] == "no-store"
    assert samples(plain.text)[sample("ringmain_upstream_retries_total", system="postgres:crm")] == 1
    assert more.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert more.text.endswith("# EOF\n")


@pytest.mark.anyio
async def test_there_is_nothing_but_reading() -> None:
    answers = await scrape(
        CoreSettings(metrics_port=0),
        Metrics(connector),
        {"path": "/"},
        {"path": "/v1/mcp"},
        {"method": "POST"},
        {"method": "HEAD"},
    )
    assert [answer.status_code for answer in answers] == [404, 404, 405, 405]
    assert answers[2].headers["allow"] == "GET"


@pytest.mark.anyio
async def test_a_page_under_a_name_of_its_own_cannot_read_them() -> None:
    metrics = Metrics(connector)
    answers = await scrape(
        CoreSettings(metrics_port=0, allowed_hosts=["metrics.example:9464"]),
        metrics,
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Host": "evil.example:9464"}},
        {"headers": {"Host": ""}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Host": "metrics.example:9464"}},
        {"headers": {"Host": "localhost:1"}},
        {"headers": {"Host": "10.1.2.3:9464"}},
        {"headers": {"Host": "[fd00::1]:9464"}},
    )
    assert [answer.status_code for answer in answers] == [421, 421, 421, 403, 200, 200, 200, 200]
    assert counted(metrics, "ringmain_refusals_total") == {
        sample("ringmain_refusals_total", gate="metrics", code="forbidden_host"): 3,
        sample("ringmain_refusals_total", gate="metrics", code="forbidden_origin"): 1,
    }


@pytest.mark.anyio
async def test_where_there_is_a_token_only_its_bearer_reads_them() -> None:
    answers = await scrape(
        CoreSettings(metrics_port=0, metrics_token=SecretStr(TOKEN)),
        Metrics(connector),
        {},
        {"headers": {"Authorization": f"Bearer {TOKEN}x"}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
    )
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 200]
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert all(TOKEN not in answer.text for answer in answers)


def test_off_loopback_a_token_is_needed() -> None:
    everywhere = CoreSettings(metrics_port=0, metrics_host="0.0.0.0")  # noqa: S104
    with pytest.raises(ConfigurationError, match="Set RINGMAIN_METRICS_TOKEN"), metrics_port(everywhere):
        pass
    with metrics_port(everywhere.model_copy(update={"metrics_token": SecretStr(TOKEN)})) as port:
        assert port is not None


def test_a_port_that_is_taken_is_said_with_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        complaint = f"127.0.0.1 port {number} .* RINGMAIN_METRICS_PORT"
        with (
            pytest.raises(ConfigurationError, match=complaint),
            metrics_port(CoreSettings(metrics_port=number)),
        ):
            pass


def test_no_port_is_no_metrics() -> None:
    with metrics_port(CoreSettings()) as port:
        assert port is None


def test_the_folder_that_workers_share_is_private_and_goes() -> None:
    with metrics_port(CoreSettings(metrics_port=0, workers=2)) as port:
        assert port is not None
        assert port.folder is not None
        assert stat.S_IMODE(port.folder.stat().st_mode) == 0o700
        (port.folder / "0.names").touch()
    assert not port.folder.exists()
