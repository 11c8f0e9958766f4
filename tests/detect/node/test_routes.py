from __future__ import annotations

from typing import Any

import pytest

GET = "export async function GET() {}\n"
PAGE = "export default function handler() {}\n"


@pytest.mark.parametrize(
    ("file", "text", "path"),
    [
        ("app/api/health/route.ts", GET, "/api/health"),
        ("app/healthz/route.js", "export const GET = () => {}", "/healthz"),
        ("app/(ops)/api/health-check/route.ts", "const GET = f\nexport { GET, POST }", "/api/health-check"),
        ("app/api/live/route.ts", GET, "/api/live"),
        ("pages/api/health.ts", PAGE, "/api/health"),
        ("pages/api/ping/index.ts", PAGE, "/api/ping"),
    ],
)
def test_a_health_route_is_its_folder_s_path(look_at: Any, file: str, text: str, path: str) -> None:
    found, _ = look_at({"app/page.tsx": None, file: text})
    assert (found.answers["health_path"], found.evidence["health_path"].path) == (path, file)


def test_the_folders_may_lie_in_src(look_at: Any) -> None:
    found, _ = look_at({"app/page.tsx": None, "src/app/api/health/route.ts": GET})
    assert found.answers["health_path"] == "/api/health"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("app/[locale]/health/route.ts", GET),
        ("app/api/health/route.ts", "export async function POST() {}"),
        ("app/api/health/page.tsx", PAGE),
        ("app/_lib/health/route.ts", GET),
        ("app/api/orders/status/route.ts", GET),
        ("lib/app/api/health/route.ts", GET),
        ("pages/api/health.ts", "export const config = {}"),
    ],
)
def test_what_a_plain_get_cannot_reach_is_none(look_at: Any, file: str, text: str) -> None:
    found, _ = look_at({file: text})
    assert found.answers["health_path"] == ""
    assert "500" in found.evidence["health_path"].note


def test_liveness_is_taken_before_readiness(look_at: Any) -> None:
    found, _ = look_at({"app/api/ready/route.ts": GET, "app/api/health/route.ts": GET})
    assert found.answers["health_path"] == "/api/health"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ("basePath: '/shop'", "/shop/api/health"),
        ("trailingSlash: true", "/api/health/"),
        ("basePath: process.env.BASE || ''", "/api/health"),
        ("basePath: base()", ""),
    ],
)
def test_next_config_is_part_of_the_path(look_at: Any, config: str, path: str) -> None:
    files = {"app/api/health/route.ts": GET, "next.config.mjs": f"export default {{ {config} }}"}
    found, _ = look_at(files)
    assert found.answers["health_path"] == path
    assert any("-d health_path=/api/health" in text for text in found.warnings) is (path == "")


@pytest.mark.parametrize(
    ("files", "router"),
    [({}, "app"), ({"src/pages/a.tsx": ""}, "app and pages"), ({"app/page.tsx": None, "pages/a.tsx": ""}, "pages")],
)
def test_the_router_is_noted(look_at: Any, files: Any, router: str) -> None:
    assert [fact.value for fact in look_at(files)[0].facts["router"]] == [router]
