"""Decide whether a container passed, and give advice if it did not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from dockertpl.engine import hints, listening, probe
from dockertpl.engine.container import State
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.traces import raised_in
from dockertpl.errors import RootUserError, UnhealthyError


class Seen(NamedTuple):
    """The result of waiting for a container.

    Attributes:
        state: Its last state.
        ready: Seconds from its start to the first good answer, or None.
        port: Its port on this machine, or None.
        answer: The last answer on that port, or None.
        wanted: The rule for a good answer.
        repeated: Seconds of the same bad answer, if the wait was given up for it.
        error: The error that its log repeats, or an empty string.
    """

    state: State
    ready: float | None
    port: int | None
    answer: probe.Answer | None
    wanted: probe.Rule
    repeated: float | None = None
    error: str = ""


def health(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float, memory: str) -> UnhealthyError | None:
    """Return the error of a container that is not healthy, or None.

    Args:
        seen: The result of waiting for it.
        image: Its image.
        log: Its last log lines.
        timeout: The timeout in seconds.
        memory: Its memory limit.
    """
    hint = hints.find(log, "run", workdir=image.workdir)
    error = _health(seen, image, log, timeout, memory, hint.text if hint else "")
    if error and hint:
        error.missing, error.lacks_setting = hint.missing, hint.lacks_setting
    return error


def _health(
    seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float, memory: str, hint: str
) -> UnhealthyError | None:
    if not seen.state.running:
        return _exited(seen, log, memory, hint)
    if seen.state.health == "healthy":
        return _silent(seen, image, log) if seen.ready is None and seen.port else None
    if not image.has_healthcheck and (seen.ready is not None or seen.port is None):
        return UnhealthyError(
            "The image has no HEALTHCHECK, so the engine cannot tell whether it is healthy.",
            "Add one to the Dockerfile. `dockertpl new` writes one that needs no shell and fails on a bad status.",
        )
    return _never_healthy(seen, image, log, timeout, hint)


def start(complaint: str) -> UnhealthyError:
    """Return the error for a container that the engine could not start."""
    reason = complaint.rsplit("error during container init: ", 1)[-1].removesuffix(": unknown").rstrip(".")
    hint = hints.find([reason], "run")
    return UnhealthyError(f"The container did not start: {reason}.", hint.text if hint else "Check ENTRYPOINT and CMD.")


def user(uid: int | None) -> RootUserError | None:
    """Return the error for a container that runs as root, or None."""
    if uid != 0:
        return None
    return RootUserError(
        "The image runs as root (uid 0).",
        "Set a numeric user in the last stage, such as `USER 10001:10001`. Write files below /tmp or on a volume.\n"
        "`dockertpl new` writes such a Dockerfile.",
    )


def stop(ended: State, seconds: float, grace: int) -> UnhealthyError | None:
    """Return the error for a container that SIGTERM did not end, or None.

    Args:
        ended: Its state afterwards.
        seconds: The seconds from SIGTERM to its end.
        grace: The seconds from SIGTERM to SIGKILL.
    """
    if seconds < grace - 0.5 and ended.exit_code != 137:
        return None
    if seconds < grace - 0.5:
        why = "out of memory" if ended.out_of_memory else "exit code 137"
        return UnhealthyError(f"It was killed while it stopped ({why}).", "Check whether it needs more memory to stop.")
    return UnhealthyError(
        f"It did not end on SIGTERM: it was killed after {grace} seconds.",
        'Write the command in exec form (CMD ["uvicorn", …]): a shell does not forward signals. In a script, `exec`\n'
        "the last command. Process 1 must handle SIGTERM. If it waits for open connections, set the server's\n"
        f"graceful timeout below {grace} seconds.",
    )


def _exited(seen: Seen, log: Sequence[str], memory: str, hint: str) -> UnhealthyError:
    lived = max(0.0, seen.state.finished - seen.state.started)
    if seen.state.out_of_memory:
        return UnhealthyError(
            _with_log(f"The container ran out of memory after {lived:.1f} s; its limit is {memory}.", log),
            "Use fewer workers, or raise the limit in the image: LABEL org.dockertpl.run.memory=2g",
        )
    return UnhealthyError(
        _with_log(f"The container exited with code {seen.state.exit_code} after {lived:.1f} s.", log),
        hint or "See its last lines. If it needs variables to start, pass --env or --env-file.",
    )


def _silent(seen: Seen, image: ImageFacts, log: Sequence[str]) -> UnhealthyError:
    return UnhealthyError(
        _with_log(
            f"Its health check succeeds, but port {image.port} gives no good answer from outside to "
            f"GET {seen.wanted.path}: {seen.answer}.",
            log,
        ),
        (_refusal(seen.answer, seen.wanted.path) if seen.answer else "")
        or _elsewhere(image, log)
        or f"It may listen on 127.0.0.1 in the container. Let it listen on 0.0.0.0, port {image.port}.",
    )


def _never_healthy(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float, hint: str) -> UnhealthyError:
    gave_up = seen.state.health == "unhealthy"
    if gave_up:
        lines = ["The container became unhealthy."]
    elif seen.error:
        lines = [f"The container repeats the same error: {seen.error}"]
    elif seen.repeated is not None:
        lines = [f"The container started, but gave the same bad answer for {seen.repeated:.0f} s."]
    else:
        lines = [f"The container did not become healthy in {timeout:.0f} s."]
    if seen.state.probes:
        last = seen.state.probes[-1]
        # The end of a traceback says more than its beginning.
        said = " ".join(last.output.split())[-200:]
        lines.append(f"  last health check: exit code {last.exit_code}{', ' + said if said else ''}")
    elif seen.state.health:
        lines.append("  the health check never finished")
    if seen.answer is not None:
        lines.append(f"  GET {seen.wanted.path} from outside: {seen.answer}")
    unanswered = seen.ready is None and (seen.answer is None or seen.answer.status is None)
    advice = (_elsewhere(image, log) if unanswered else "") or hint or _advice(seen, image, log, timeout)
    return UnhealthyError(_with_log("\n".join(lines), log), advice)


def _elsewhere(image: ImageFacts, log: Sequence[str]) -> str:
    """Return the advice for a server that listens on another port or address by its log, or nothing."""
    place = listening.find(log)
    if place is None or image.port is None:
        return ""
    if place.port != image.port:
        change = (
            f"  dockertpl update -d port={place.port}        (the Dockerfile's EXPOSE, command and health check)"
            if probe.LABEL in image.labels
            else f"  EXPOSE {place.port}        (and that port in the HEALTHCHECK)"
        )
        return (
            f"The log says that it listens on port {place.port}, but the image has EXPOSE {image.port}:\n"
            f"  | {place.line}\nLet it listen on {image.port}, or change the image's port:\n{change}"
        )
    if place.is_inward:
        return (
            f"It listens on {place.host}, which only the container can reach:\n"
            f"  | {place.line}\nLet it listen on every address: {place.remedy}."
        )
    return ""


def _unanswered(image: ImageFacts, log: Sequence[str], timeout: float) -> str:
    """Return the advice for a container that never answered."""
    longer = int(max(60, 3 * timeout))
    more_time = f"  dockertpl verify --timeout {longer}"
    if probe.LABEL in image.labels:
        more_time += f"\n  dockertpl update -d health_start_period={longer}        (production waits that long, too)"
    else:
        more_time += f"\n  HEALTHCHECK --start-period={longer}s …        (production waits that long, too)"
    if listening.is_starting(log):
        return f"It was still starting. Give it more time:\n{more_time}"
    where = f"0.0.0.0, port {image.port}, as EXPOSE says" if image.port else "a port that EXPOSE names"
    return f"Nothing answers. It must listen on {where}. If it only starts slowly, give it more time:\n{more_time}"


def _advice(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float) -> str:
    status = seen.answer.status if seen.answer else None
    if seen.ready is not None:
        return "It answers from outside, so check the HEALTHCHECK: its path, its port, and its command."
    if seen.answer is not None and (advice := _refusal(seen.answer, seen.wanted.path)):
        return advice
    if status == 404:
        return (
            f"It has no route {seen.wanted.path}. Use a route that needs no login:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    if status is not None and status >= 500:
        raised, where = raised_in(log, image.workdir)
        if where:
            return f"{raised.partition(':')[0]} was raised in {where}. See the log."
        return (
            "It answers with a server error. If it needs another service, start that, too:\n"
            "  dockertpl verify --with NAME        (postgres, mysql, redis, mongo)"
        )
    if status is not None:
        status_class = str(seen.wanted).partition(" ")[2]
        return (
            f"A good answer is {status_class} on {seen.wanted.path}. To use another path:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    return _unanswered(image, log, timeout)


# How servers and frameworks refuse an unknown host name.
_HOST = re.compile(r"\bhosts?\b.{0,40}(?:header|not allowed|blocked)|invalid host|allowed_?hosts|disallowedhost", re.I)


def _refusal(answer: probe.Answer, path: str) -> str:
    """Return the advice for an answer that shows why it is refused, or nothing."""
    if answer.status in (400, 403, 421) and (answer.status == 421 or _HOST.search(answer.text)):
        return (
            "It checks the host name of requests, and the health check uses localhost and 127.0.0.1. Allow both:\n"
            "in the code (TrustedHostMiddleware: allowed_hosts), or with a variable of the application:\n"
            "  dockertpl verify --env ALLOWED_HOSTS=localhost,127.0.0.1"
        )
    if answer.status in (401, 403):
        return (
            f"It asks for a login on {path}. Exempt that path from authentication, or use another path:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    if answer.status == 405:
        return (
            f"{path} does not accept GET. Add a GET route, or use another path:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    return _redirect(answer.location, path) if answer.location else ""


def _redirect(location: str, path: str) -> str:
    target = urlsplit(location)
    if target.path == f"{path}/" or f"{target.path}/" == path:
        return f"The path is {target.path}:\n  dockertpl update -d health_path={target.path}"
    if target.scheme == "https" and target.path == path:
        return (
            f"It redirects HTTP to HTTPS, but TLS ends at a proxy before the container. Exempt {path}\n"
            "(HTTPSRedirectMiddleware, or a setting of the framework), or trust the proxy: the answer proxy_headers."
        )
    return (
        f"{path} redirects to {target.path or location}, often due to a login middleware. Exempt {path} there\n"
        "(in Next.js with the `matcher` of middleware.ts or proxy.ts), or use a path that needs no login:\n"
        "  dockertpl update -d health_path=/PATH"
    )


def _with_log(message: str, log: Sequence[str]) -> str:
    if not log:
        return f"{message}\n  (the log is empty)"
    return "\n".join([message, "  last log lines:", *(f"  | {line}" for line in log)])
