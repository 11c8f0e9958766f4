from __future__ import annotations

from typing import Any

import pytest

ROUTE = {"app/api/health/route.ts": "export const GET = () => Response.json({})\n"}
REDIRECT = "export function middleware(req) {\n  return NextResponse.redirect(new URL('/login', req.url))\n}\n"
ALL_BUT_FILES = 'export const config = { matcher: ["/((?!_next/static|favicon.ico).*)"] }\n'


def _is_warned_of(look_at: Any, path: str, text: str) -> bool:
    found, problem = look_at({**ROUTE, path: text})
    assert problem is None
    return any("may reject" in warning and "/api/health" in warning for warning in found.warnings)


@pytest.mark.parametrize("path", ["middleware.ts", "src/middleware.js", "proxy.ts"])
def test_a_middleware_that_redirects_the_probe_is_reported(look_at: Any, path: str) -> None:
    assert _is_warned_of(look_at, path, REDIRECT + ALL_BUT_FILES)
    found, _ = look_at({**ROUTE, path: REDIRECT + ALL_BUT_FILES})
    assert any(warning.startswith(f"{path}:2 may reject") for warning in found.warnings)


@pytest.mark.parametrize(
    ("matcher", "is_said"),
    [
        ("", True),
        ('matcher: "/:path*"', True),
        ('matcher: ["/dashboard/:path*", "/api/:path*"]', True),
        ('matcher: ["/((?!api|_next/static).*)"]', False),
        ('matcher: ["/dashboard/:path*"]', False),
        ('matcher: ["/(dashboard|settings)/:id?"]', False),
        ('matcher: ["/((?!api/health|_next).*)"]', False),
        ("matcher: ['/((?!.+\\\\.[\\\\w]+$|_next).*)', '/', '/(api|trpc)(.*)']", True),
        ('matcher: ["/(("]', False),
    ],
)
def test_only_where_its_matcher_has_the_probe_s_path(look_at: Any, matcher: str, is_said: bool) -> None:
    text = REDIRECT + (f"export const config = {{ {matcher} }}\n" if matcher else "")
    assert _is_warned_of(look_at, "middleware.ts", text) is is_said


@pytest.mark.parametrize(
    "text",
    [
        'export { auth as middleware } from "@/auth"\n',
        'export { default } from "next-auth/middleware"\n',
        "export default clerkMiddleware(async (auth, req) => { await auth.protect() })\n",
        "export default withAuth({ pages: {} })\n",
        "export function middleware() { return new Response('no', { status: 401 }) }\n",
    ],
)
def test_the_usual_libraries_are_known(look_at: Any, text: str) -> None:
    assert _is_warned_of(look_at, "middleware.ts", text)


@pytest.mark.parametrize(
    "text",
    [
        "export function middleware(req) { return NextResponse.next() }\n",
        REDIRECT.replace("return", 'if (req.nextUrl.pathname.startsWith("/api")) return\n  return'),
        REDIRECT.replace("return", 'const open = ["/login", "/api/health"]\n  return'),
        "const isPublic = createRouteMatcher(['/sign-in(.*)', '/api/health(.*)'])\n" + REDIRECT,
    ],
)
def test_a_guard_that_lets_the_probe_through_is_not_reported(look_at: Any, text: str) -> None:
    assert not _is_warned_of(look_at, "middleware.ts", text)


@pytest.mark.parametrize(
    "text",
    [
        "if (req.nextUrl.pathname.startsWith('/admin') && !session) return NextResponse.redirect(login)\n",
        "const isProtectedRoute = createRouteMatcher(['/dashboard(.*)'])\nif (isProtectedRoute(r)) auth.protect()\n",
    ],
)
def test_a_guard_of_other_paths_is_not_reported(look_at: Any, text: str) -> None:
    assert not _is_warned_of(look_at, "middleware.ts", text)


def test_without_a_health_route_nothing_is_reported(look_at: Any) -> None:
    found, _ = look_at({"middleware.ts": REDIRECT})
    assert not any("may reject" in warning for warning in found.warnings)
