"""The verdict on a container that is not as it should be."""

from dataclasses import replace
from typing import Any

import pytest

from dockertpl.engine import probe, verdict
from dockertpl.engine.container import Probe, State
from dockertpl.engine.image import ImageFacts

IMAGE = ImageFacts(image="sha256:1", user="1", port=8000, probe=("probe",), labels={})
LOG = ["one", "two"]


def state(**more: Any) -> State:
    known: dict[str, Any] = {
        "running": True,
        "exit_code": 0,
        "out_of_memory": False,
        "started": 100.0,
        "finished": 0.0,
        "health": "starting",
        "probes": (),
        "ports": (1,),
        "read_only": True,
    }
    return State(**{**known, **more})


def seen(at: State, status: int | None = None, ready: float | None = None, text: str = "x") -> verdict.Seen:
    return verdict.Seen(
        state=at, ready=ready, port=1, answer=probe.Answer(status, 0.0, text), wanted=probe.Rule("/health", 200, 300)
    )


def judge(what: verdict.Seen, image: ImageFacts = IMAGE, log: list[str] = LOG) -> tuple[str, str]:
    error = verdict.health(what, image, log, 60.0, "1g")
    return (error.message, error.remedy) if error else ("", "")


def test_healthy_and_ready_is_not_an_error() -> None:
    assert judge(seen(state(health="healthy"), 200, 0.5)) == ("", "")


def test_an_early_end_has_code_time_and_log() -> None:
    message, remedy = judge(seen(state(running=False, exit_code=3, finished=101.25)))
    assert message == "The container exited with code 3 after 1.2 s.\n  last log lines:\n  | one\n  | two"
    assert "--env" in remedy


def test_an_early_end_without_a_log_says_so() -> None:
    assert judge(seen(state(running=False)), log=[])[0].endswith("(the log is empty)")


def test_a_known_complaint_is_explained() -> None:
    _, remedy = judge(seen(state(running=False)), log=["OSError: Read-only file system: '/app/cache/x'"])
    assert "/app/cache/x" in remedy and "--tmpfs /app/cache" in remedy


def test_an_error_of_the_application_is_named_with_its_place_and_no_database() -> None:
    log = ["Traceback (most recent call last):", '  File "/app/main.py", line 15, in index', "TypeError: unhashable"]
    _, remedy = judge(seen(state(), 500), replace(IMAGE, workdir="/app"), log)
    assert remedy == "TypeError was raised in main.py:15, in index. See the log."


def test_the_results_of_the_probes_are_reported_with_the_last_one_first() -> None:
    at = state(health="unhealthy", probes=(Probe(1, 1, "first"), Probe(2, 1, "b'HTTP/1.1 503\\r\\n'")))
    message, remedy = judge(seen(at, 503, text="the queue is away"))
    assert "The container became unhealthy" in message
    assert "exit code 1, b'HTTP/1.1 503" in message and "first" not in message
    assert "GET /health from outside: status 503, 'the queue is away'" in message
    assert "--with NAME" in remedy


def test_each_answer_has_its_own_advice() -> None:
    assert "health_path" in judge(seen(state(), 404))[1]
    assert "2xx on /health" in judge(seen(state(), 302))[1]
    assert "0.0.0.0" in judge(seen(state(), None))[1]
    assert "HEALTHCHECK" in judge(seen(state(), 200, 0.5))[1]


@pytest.mark.parametrize(
    ("status", "text", "location", "said"),
    [
        (400, "Invalid host header", "", ["host name", "localhost", "allowed_hosts"]),
        (403, "Blocked request. This host is not allowed", "", ["host name"]),
        (401, "", "", ["login", "Exempt"]),
        (405, "", "", ["GET"]),
        (307, "", "/login?from=%2Fhealth", ["/health redirects to /login", "matcher"]),
        (307, "", "http://localhost/health/", ["health_path=/health/"]),
        (308, "", "https://localhost/health", ["HTTPS", "proxy_headers"]),
    ],
)
def test_an_answer_that_says_why_it_is_bad_is_explained(status: int, text: str, location: str, said: list[str]) -> None:
    answer = probe.Answer(status, 0.0, text, location)
    message, remedy = judge(seen(state(), status)._replace(answer=answer, repeated=5.0))
    assert "the same bad answer for 5 s" in message
    assert str(answer) in message
    assert all(word in remedy for word in said), remedy


def test_a_host_that_only_the_outside_is_refused_for_is_explained_too() -> None:
    what = seen(state(health="healthy"))._replace(answer=probe.Answer(400, 0.0, "Invalid host header"))
    assert "host name" in judge(what)[1]


def test_time_that_ran_out_is_named() -> None:
    message, _ = judge(seen(state()))
    assert message.startswith("The container did not become healthy in 60 s.")
    assert "the health check never finished" in message


def test_root_is_an_error_and_an_unknown_user_is_not_called_root() -> None:
    assert verdict.user(0) is not None
    assert verdict.user(10001) is verdict.user(None) is None


def test_an_end_in_time_is_good_whatever_the_exit_code() -> None:
    for code in (0, 1, 143):
        assert verdict.stop(state(running=False, exit_code=code), 0.2, 10) is None


def test_a_killed_container_did_not_stop_in_time() -> None:
    late = verdict.stop(state(running=False, exit_code=137), 10.1, 10)
    assert late and "killed after 10 seconds" in late.message and "exec form" in late.remedy
    early = verdict.stop(state(running=False, exit_code=137, out_of_memory=True), 0.2, 10)
    assert early and "out of memory" in early.message


def test_a_failed_start_is_reported_without_internal_names_of_the_engine() -> None:
    error = verdict.start(
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
        'failed: unable to start container process: error during container init: exec: "x": executable file not found '
        "in $PATH: unknown"
    )
    assert error.message == 'The container did not start: exec: "x": executable file not found in $PATH.'


OURS = replace(IMAGE, labels={probe.LABEL: "/health 2xx"})


def test_another_port_is_named_with_what_to_change() -> None:
    log = ["INFO:     Uvicorn running on http://0.0.0.0:9000 (Press CTRL+C to quit)"]
    remedy = judge(seen(state()), OURS, log)[1]
    assert "listens on port 9000, but the image has EXPOSE 8000" in remedy
    assert "dockertpl update -d port=9000" in remedy and log[0] in remedy
    other = judge(seen(state()), IMAGE, log)[1]
    assert "EXPOSE 9000" in other and "dockertpl update" not in other


def test_a_server_that_listens_only_on_localhost_gets_advice() -> None:
    log = ["[INFO] Listening at: http://127.0.0.1:8000 (7)"]
    remedies = [judge(seen(state(health=health)), OURS, log)[1] for health in ("starting", "healthy")]
    for remedy in remedies:
        assert "127.0.0.1, which only the container can reach" in remedy
        assert "--bind 0.0.0.0:8000 in its command" in remedy


def test_a_server_that_answers_gets_no_advice_about_its_address() -> None:
    assert "port 9000" not in judge(seen(state(), 404), log=["listening on port 9000"])[1]


def test_what_was_still_starting_gets_more_time_here_and_in_production() -> None:
    remedy = judge(seen(state()), OURS, ["INFO:     Waiting for application startup."])[1]
    assert remedy.startswith("It was still starting")
    assert "dockertpl verify --timeout 180" in remedy and "health_start_period=180" in remedy
    assert "--start-period=180s" in judge(seen(state()), IMAGE, ["x"])[1]
