"""What is wrong with a container that was run, and what to do about it."""

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
    """What was seen of a container while it was waited for.

    Attributes:
        state: The engine's last word on it.
        ready: Seconds from its start to the first good answer, or None.
        port: The port on this machine that leads to it, or None.
        answer: The last answer on that port, or None.
        wanted: What a good answer would have been.
        repeated: Seconds for which it has given that same answer, where that was not worth waiting on.
        error: The error that its log has again and again; empty if none was seen.
    """

    state: State
    ready: float | None
    port: int | None
    answer: probe.Answer | None
    wanted: probe.Rule
    repeated: float | None = None
    error: str = ""


def health(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float, memory: str) -> UnhealthyError | None:
    """Return what keeps a container from being healthy, or None.

    Args:
        seen: What was seen of it.
        image: Its image.
        log: Its last log lines.
        timeout: The seconds that it had.
        memory: Its limit.
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
            "The image has no HEALTHCHECK, so the engine cannot tell that it is healthy.",
            "Add one to the Dockerfile; `dockertpl new` writes one that needs no shell and fails on a bad status.",
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
        "Give its last stage a numeric user other than root, such as `USER 10001:10001`. Files it has to write belong\n"
        "below /tmp or on a volume. `dockertpl new` writes such a Dockerfile.",
    )


def stop(ended: State, seconds: float, grace: int) -> UnhealthyError | None:
    """Return the error for a container that SIGTERM did not end, or None.

    Args:
        ended: Its state afterwards.
        seconds: What it took.
        grace: The seconds after which it was killed.
    """
    if seconds < grace - 0.5 and ended.exit_code != 137:
        return None
    if seconds < grace - 0.5:
        why = "out of memory" if ended.out_of_memory else "exit code 137"
        return UnhealthyError(f"It was killed while it stopped ({why}).", "Does it need more memory to stop?")
    return UnhealthyError(
        f"It did not end on SIGTERM: it was killed after {grace} seconds.",
        'Is its command in exec form (CMD ["uvicorn", …])? Under a shell the signal never arrives; in a script,\n'
        "`exec` the last command. Process 1 ends on SIGTERM only if it handles it. Does it wait for open\n"
        f"connections? Then set the server's graceful timeout below {grace} seconds.",
    )


def _exited(seen: Seen, log: Sequence[str], memory: str, hint: str) -> UnhealthyError:
    lived = max(0.0, seen.state.finished - seen.state.started)
    if seen.state.out_of_memory:
        return UnhealthyError(
            _with_log(f"The container ran out of memory after {lived:.1f} s; its limit is {memory}.", log),
            "Fewer workers need less. If it needs more, say so in the image: LABEL org.dockertpl.run.memory=2g",
        )
    return UnhealthyError(
        _with_log(f"The container exited with code {seen.state.exit_code} after {lived:.1f} s.", log),
        hint or "Its last lines say why. What it needs to start goes into --env or --env-file.",
    )


def _silent(seen: Seen, image: ImageFacts, log: Sequence[str]) -> UnhealthyError:
    return UnhealthyError(
        _with_log(
            f"Its own probe finds it healthy, but from outside port {image.port} gives no good answer to "
            f"GET {seen.wanted.path}: {seen.answer}.",
            log,
        ),
        (_refusal(seen.answer, seen.wanted.path) if seen.answer else "")
        or _elsewhere(image, log)
        or f"Does it listen on 127.0.0.1 inside the container? It has to be 0.0.0.0, port {image.port}.",
    )


def _never_healthy(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float, hint: str) -> UnhealthyError:
    gave_up = seen.state.health == "unhealthy"
    if gave_up:
        lines = ["The engine found the container unhealthy."]
    elif seen.error:
        lines = [f"The container fails in the same way again and again: {seen.error}"]
    elif seen.repeated is not None:
        lines = [f"The container starts, and gives the same bad answer for {seen.repeated:.0f} s."]
    else:
        lines = [f"The container did not get healthy in {timeout:.0f} s."]
    if seen.state.probes:
        last = seen.state.probes[-1]
        # Of a traceback the end tells more than the beginning.
        said = " ".join(last.output.split())[-200:]
        lines.append(f"  its probe, the last time: exit code {last.exit_code}{', ' + said if said else ''}")
    elif seen.state.health:
        lines.append("  its probe did not end once")
    if seen.answer is not None:
        lines.append(f"  GET {seen.wanted.path} from outside: {seen.answer}")
    unanswered = seen.ready is None and (seen.answer is None or seen.answer.status is None)
    advice = (_elsewhere(image, log) if unanswered else "") or hint or _advice(seen, image, log, timeout)
    return UnhealthyError(_with_log("\n".join(lines), log), advice)


def _elsewhere(image: ImageFacts, log: Sequence[str]) -> str:
    """Return the advice for a server whose log says that it listens where nobody asks; empty if it does not."""
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
            f"Its log says that it listens on port {place.port}, and the image has EXPOSE {image.port}:\n"
            f"  | {place.line}\nLet it listen on {image.port}, or change the image's port:\n{change}"
        )
    if place.is_inward:
        return (
            f"It listens on {place.host}, which only the container itself reaches:\n"
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
        return f"It was still starting when its time was over. Give it more:\n{more_time}"
    where = f"0.0.0.0, port {image.port}, as EXPOSE says" if image.port else "a port that EXPOSE names"
    return f"Nothing answers. It has to listen on {where}. If it only starts slowly, give it more time:\n{more_time}"


def _advice(seen: Seen, image: ImageFacts, log: Sequence[str], timeout: float) -> str:
    status = seen.answer.status if seen.answer else None
    if seen.ready is not None:
        return (
            "It answers from outside, so look at the HEALTHCHECK: its path, its port, and whether its command is there."
        )
    if seen.answer is not None and (advice := _refusal(seen.answer, seen.wanted.path)):
        return advice
    if status == 404:
        return (
            f"It has no route {seen.wanted.path}. Name one that needs no login:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    if status is not None and status >= 500:
        raised, where = raised_in(log, image.workdir)
        if where:
            return f"{raised.partition(':')[0]} comes from {where}. The lines of the log have the rest."
        return (
            "It answers, and says that it is not well. If it needs a server of another kind, start that beside it:\n"
            "  dockertpl verify --with NAME        (postgres, mysql, redis, mongo)"
        )
    if status is not None:
        status_class = str(seen.wanted).partition(" ")[2]
        return (
            f"A good answer is {status_class} on {seen.wanted.path}. Another path is named by:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    return _unanswered(image, log, timeout)


# How servers and frameworks refuse an unknown host name.
_HOST = re.compile(r"\bhosts?\b.{0,40}(?:header|not allowed|blocked)|invalid host|allowed_?hosts|disallowedhost", re.I)


def _refusal(answer: probe.Answer, path: str) -> str:
    """Return the advice for an answer that says why it is none; empty if it does not."""
    if answer.status in (400, 403, 421) and (answer.status == 421 or _HOST.search(answer.text)):
        return (
            "It checks the host name of each request, and the probe asks for localhost and 127.0.0.1. Allow both\n"
            "(TrustedHostMiddleware: allowed_hosts), or set the variable that names them:\n"
            "  dockertpl verify --env ALLOWED_HOSTS=localhost,127.0.0.1"
        )
    if answer.status in (401, 403):
        return (
            f"It wants a login for {path}. Exempt that path from authentication, or name one that needs none:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    if answer.status == 405:
        return (
            f"{path} answers other methods than GET. Add a GET, or name another path:\n"
            "  dockertpl update -d health_path=/PATH"
        )
    return _redirect(answer.location, path) if answer.location else ""


def _redirect(location: str, path: str) -> str:
    target = urlsplit(location)
    if target.path == f"{path}/" or f"{target.path}/" == path:
        return f"The path is {target.path}:\n  dockertpl update -d health_path={target.path}"
    if target.scheme == "https" and target.path == path:
        return (
            f"It sends plain HTTP to HTTPS, which ends ahead of a container. Exempt {path} (HTTPSRedirectMiddleware,\n"
            "or a setting of the framework), or trust the proxy that ends it: the answer proxy_headers."
        )
    return (
        f"Something sends {path} to {target.path or location}, often a middleware that wants a login. Exempt {path}\n"
        "there (in Next.js by the `matcher` of middleware.ts or proxy.ts), or name a path that needs no login:\n"
        "  dockertpl update -d health_path=/PATH"
    )


def _with_log(message: str, log: Sequence[str]) -> str:
    if not log:
        return f"{message}\n  (it wrote no log)"
    return "\n".join([message, "  its last lines:", *(f"  | {line}" for line in log)])
