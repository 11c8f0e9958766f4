from __future__ import annotations

import socket
import ssl
import urllib.request
from pathlib import Path

import pytest
from tests.registry.server import FakeRegistry, running

from dockertpl import __version__
from dockertpl.errors import RegistryError
from dockertpl.registry import transport
from dockertpl.registry.transport import is_safe, send


def _get(fake: FakeRegistry, path: str = "/x") -> transport.Answer:
    return send("GET", f"http://{fake.address}{path}", headers={"Accept": "a"}, authorization="Basic s")


def test_an_answer_of_any_status_comes_back_whole(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (418, {"X-Y": "z"}, b"pot" * 50_000)
    answer = _get(fake_registry)
    assert (answer.status, answer.headers["x-y"], answer.body) == (418, "z", b"pot" * 50_000)
    (seen,) = fake_registry.seen
    assert (seen.headers["accept"], seen.headers["user-agent"]) == ("a", f"dockertpl/{__version__}")
    assert seen.authorization == "Basic s"


def test_a_redirect_to_another_host_takes_no_credentials_along(fake_registry: FakeRegistry) -> None:
    with running() as other:
        other.instead = lambda seen: (200, {}, b"blob")
        fake_registry.instead = lambda seen: (307, {"Location": f"http://{other.address}/blob"}, b"")
        assert _get(fake_registry).body == b"blob"
        assert [(seen.path, seen.authorization) for seen in other.seen] == [("/blob", None)]


def test_a_redirect_on_the_same_host_keeps_them(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (301, {"Location": "/there"}, b"") if seen.path == "/x" else (200, {}, b"")
    assert _get(fake_registry).status == 200
    assert [seen.authorization for seen in fake_registry.seen] == ["Basic s", "Basic s"]


@pytest.mark.parametrize("target", ["http://example.com/", "file:///etc/passwd", "ftp://example.com/"])
def test_a_redirect_to_what_is_not_https_is_not_followed(fake_registry: FakeRegistry, target: str) -> None:
    fake_registry.instead = lambda seen: (302, {"Location": target}, b"")
    with pytest.raises(RegistryError, match="because it is not https"):
        _get(fake_registry)


def test_redirects_end(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (302, {"Location": "/x"}, b"")
    with pytest.raises(RegistryError, match="redirects too often"):
        _get(fake_registry)
    assert len(fake_registry.seen) == 6


def test_where_none_is_to_be_followed_it_is_the_answer(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (302, {"Location": "/y"}, b"")
    assert send("POST", f"http://{fake_registry.address}/x", headers={}, form=b"a=b", redirects=0).status == 302
    assert [seen.body for seen in fake_registry.seen] == [b"a=b"]


def test_only_https_and_loopback_from_loopback_are_safe() -> None:
    local = "http://127.0.0.1:5000"
    assert is_safe("https://a.io/x", "https://b.io") and is_safe("http://localhost/x", local)
    for url, source in (
        ("http://a.io", local),
        ("http://127.0.0.1", "https://a.io"),
        ("https:///x", local),
        ("http://[", local),
    ):
        assert not is_safe(url, source)


def test_what_is_too_big_is_refused_whether_or_not_it_says_so(
    fake_registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LIMIT", 100_000)
    fake_registry.instead = lambda seen: (200, {}, b"x" * 100_000)
    assert len(_get(fake_registry).body) == 100_000
    fake_registry.instead = lambda seen: (200, {}, b"x" * 100_001)
    with pytest.raises(RegistryError, match="so it is not a manifest"):
        _get(fake_registry)


def test_what_is_cut_off_is_refused(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (200, {"Content-Length": "10"}, b"x")
    with pytest.raises(RegistryError, match="does not speak HTTP as a registry does"):
        _get(fake_registry)


def test_what_is_too_slow_is_refused(fake_registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_registry.instead = lambda seen: (200, {}, b"x")
    monkeypatch.setattr(transport, "_SECONDS_IN_ALL", -1)
    with pytest.raises(RegistryError, match="does not answer in time"):
        _get(fake_registry)


def test_a_server_that_never_answers_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RegistryError, match=f"{address} does not answer in time"):
            send("GET", f"http://{address}/", headers={})


def test_an_unreachable_server_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(RegistryError, match=f"{address} cannot be reached: Connection refused") as caught:
        send("GET", f"http://{address}/", headers={})
    assert caught.value.exit_code == 3
    assert "HTTPS_PROXY" in caught.value.remedy and "--registry-mirror" in caught.value.remedy


def test_a_server_that_does_not_speak_tls_is_named(fake_registry: FakeRegistry) -> None:
    with pytest.raises(RegistryError, match="The TLS connection to") as caught:
        send("GET", f"https://{fake_registry.address}/", headers={})
    assert "SSL_CERT_FILE" in caught.value.remedy


def test_a_server_that_does_not_speak_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        import threading

        def greet() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(b"220 mail\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(RegistryError, match="does not speak HTTP as a registry does"):
            send("GET", f"http://{address}/", headers={})
        thread.join()


def test_the_proxy_of_the_environment_is_used_but_not_for_loopback(
    fake_registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_registry.instead = lambda seen: (403, {}, b"") if seen.method == "CONNECT" else (200, {}, b"")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{fake_registry.address}")
    monkeypatch.setenv("HTTP_PROXY", f"http://{fake_registry.address}")
    with pytest.raises(RegistryError, match=r"registry\.example\.com cannot be reached: Tunnel connection failed: 403"):
        send("GET", "https://registry.example.com/v2/", headers={})
    assert [(seen.method, seen.path) for seen in fake_registry.seen] == [("CONNECT", "registry.example.com:443")]
    assert _get(fake_registry).status == 200
    assert fake_registry.seen[-1].path == "/x"
    monkeypatch.setenv("NO_PROXY", "registry.invalid")
    with pytest.raises(RegistryError):
        send("GET", "https://registry.invalid/v2/", headers={})
    assert len(fake_registry.seen) == 2


def test_the_bundle_of_ssl_cert_file_is_all_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text((Path(__file__).parent / "ca.pem").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    opener = transport._opener("https://registry.example.com")
    handlers = opener.handlers  # type: ignore[attr-defined]
    (handler,) = (each for each in handlers if isinstance(each, urllib.request.HTTPSHandler))
    context: ssl.SSLContext = handler._context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    (certificate,) = context.get_ca_certs()
    assert "dockertpl tests" in str(certificate)
