"""Stand-ins for actions that are not reachable here.

In a job, actions/OWNER/ACTION/action.yml runs `standins.py OWNER/ACTION` with the inputs as JSON in $INPUTS. It writes
its outputs to the file for step outputs. It imports nothing from this project, since the job's Python lacks it.

The stand-ins imitate a GitHub machine. A workflow must set up a builder to export a cache, and must log in to a
registry. A loaded image has no attestations.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

Inputs: TypeAlias = Mapping[str, str]
Outputs: TypeAlias = dict[str, str]

# The errors of the default builder of a machine.
DEFAULT_BUILDER_REFUSES = (
    "ERROR: failed to build: {what} is not supported for the docker driver.\n"
    "Switch to a different driver, or turn on the containerd image store, and try again."
)
SEMVER = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+)(?P<rest>-[0-9A-Za-z.-]+)?")


def checkout(inputs: Inputs) -> Outputs:
    """Do nothing: the job's folder is already a copy of the repository."""
    commit = _git("rev-parse", "HEAD")
    return {"ref": os.environ.get("GITHUB_REF", ""), "commit": commit}


def setup_buildx(inputs: Inputs) -> Outputs:
    """Make a builder from the engine. The real action's builder needs an image that is not available here."""
    driver = inputs["driver"] or "docker-container"
    _job_file("builder").write_text(driver)
    command = [
        "docker",
        "buildx",
        "create",
        "--use",
        "--name=stand-in",
        "--driver=remote",
        os.environ["STANDIN_BUILDKIT"],
    ]
    subprocess.run(command, env=_environ(), stdout=subprocess.DEVNULL, check=True)
    return {"name": "stand-in", "driver": driver, "platforms": "linux/amd64"}


def setup_qemu(inputs: Inputs) -> Outputs:
    """Do nothing: the machine of the tests has emulation, or the test that needs it fails."""
    _job_file("emulation").write_text(inputs["platforms"])
    return {"platforms": inputs["platforms"]}


def login(inputs: Inputs) -> Outputs:
    registry = inputs["registry"] or "docker.io"
    for name in ("username", "password"):
        if not inputs[name]:
            _fail(f"Username and password required: {name} is empty")
    # On GitHub, each job has its own machine, and so its own logins.
    config = _docker_config()
    if inputs["registry"].split(":")[0] in ("127.0.0.1", "localhost"):
        command = ["docker", "login", "--username", inputs["username"], "--password-stdin", registry]
        done = subprocess.run(command, input=inputs["password"], text=True, env=_environ(), check=False)
        if done.returncode:
            _fail(f"login to {registry} failed")
    else:
        config.mkdir(parents=True, exist_ok=True)
    _record("docker/login-action", {**inputs, "password": "***"})
    return {}


def metadata(inputs: Inputs) -> Outputs:
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    images = _lines(inputs["images"])
    names, latest = _tags(inputs["tags"], event)
    flavor = dict(pair for line in _lines(inputs["flavor"]) for pair in _fields(line).items())
    wanted = flavor.get("latest", "auto")
    if wanted == "true" or (wanted == "auto" and latest):
        names.append("latest")
    prefix, suffix = flavor.get("prefix", ""), flavor.get("suffix", "")
    names = [name if name == "latest" else f"{prefix}{name}{suffix}" for name in dict.fromkeys(names)]
    version = names[0] if names else ""
    repository = event.get("repository", {})
    labels = {
        "org.opencontainers.image.created": "2000-01-01T00:00:00.000Z",
        "org.opencontainers.image.description": repository.get("description") or "",
        "org.opencontainers.image.licenses": "",
        "org.opencontainers.image.revision": os.environ.get("GITHUB_SHA", ""),
        "org.opencontainers.image.source": repository.get("html_url", ""),
        "org.opencontainers.image.title": repository.get("name", ""),
        "org.opencontainers.image.url": repository.get("html_url", ""),
        "org.opencontainers.image.version": version,
    }
    labels |= dict(line.split("=", 1) for line in _lines(inputs["labels"]))
    annotations = {**labels, **dict(line.split("=", 1) for line in _lines(inputs["annotations"]))}
    levels = os.environ.get("DOCKER_METADATA_ANNOTATIONS_LEVELS", "manifest").split(",")
    tags = [f"{image}:{name}" for image in images for name in names]
    outputs = {
        "version": version,
        "tags": (inputs["sep-tags"] or "\n").join(tags),
        "tag-names": "\n".join(names),
        "labels": "\n".join(f"{key}={value}" for key, value in labels.items()),
        "annotations": "\n".join(f"{level}:{key}={value}" for level in levels for key, value in annotations.items()),
        "json": json.dumps({"tags": tags, "labels": labels}),
    }
    _export({f"DOCKER_METADATA_OUTPUT_{key.upper().replace('-', '_')}": value for key, value in outputs.items()})
    return outputs


def _tags(text: str, event: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return the tags for this event, and whether `latest` is among them by default."""
    ref = os.environ.get("GITHUB_REF", "")
    sha = os.environ.get("GITHUB_SHA", "")
    names: list[str] = []
    latest = False
    lines = _lines(text) or ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"]
    for fields in map(_fields, lines):
        kind = fields.get("type", "raw")
        if fields.get("enable", "true") != "true":
            continue
        if kind == "ref":
            pattern = {"branch": "refs/heads/(.+)", "tag": "refs/tags/(.+)", "pr": "refs/pull/([0-9]+)/.+"}
            match = re.fullmatch(pattern[fields["event"]], ref)
            if match:
                prefix = fields.get("prefix", "pr-" if fields["event"] == "pr" else "")
                names.append(prefix + re.sub(r"[^a-zA-Z0-9._-]+", "-", match[1]) + fields.get("suffix", ""))
                latest = latest or fields["event"] == "tag"
        elif kind == "semver":
            value = fields.get("value") or (ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else "")
            version = SEMVER.fullmatch(value)
            if version:
                rest = version["rest"] or ""
                whole = f"{version['major']}.{version['minor']}.{version['patch']}{rest}"
                filled = fields["pattern"].replace("{{version}}", whole).replace("{{raw}}", value)
                for part in ("major", "minor", "patch"):
                    filled = filled.replace(f"{{{{{part}}}}}", version[part])
                # A release candidate moves only its own tag.
                names.append(whole if rest else filled)
                latest = latest or not rest
        elif kind == "match":
            value = fields.get("value") or (ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else "")
            if found := re.search(fields["pattern"], value):
                names.append(found[int(fields.get("group", "0"))])
                latest = True
        elif kind == "sha":
            names.append(fields.get("prefix", "sha-") + (sha if fields.get("format") == "long" else sha[:7]))
        elif kind == "raw":
            names.append(fields["value"])
        elif kind == "edge":
            branch = fields.get("branch") or event["repository"]["default_branch"]
            names += ["edge"] if ref == f"refs/heads/{branch}" else []
        elif kind != "schedule":
            _fail(f"the stand-in knows no tags of type {kind}")
    return names, latest


def build_push(inputs: Inputs) -> Outputs:
    builder = _job_file("builder")
    set_up = builder.exists() and builder.read_text() != "docker"
    loads = inputs["load"] == "true"
    platforms = _list(inputs["platforms"])
    attests = [name for name in ("provenance", "sbom") if inputs[name] not in ("", "false")]
    refusals = {
        "Cache export": inputs["cache-to"],
        "Attestation": attests,
        "Multi-platform build": platforms[1:],
    }
    for what, wanted in refusals.items():
        if wanted and not set_up:
            _fail(DEFAULT_BUILDER_REFUSES.format(what=what))
    if loads and (attests or platforms[1:]):
        _fail("ERROR: failed to build: docker exporter does not currently support exporting manifest lists")
    if not inputs["context"]:
        _fail("without a context the action builds a Git remote, which is not to be had here")
    pushes = inputs["push"] == "true" or "push=true" in inputs["outputs"]
    for image in [*(_list(inputs["tags"]) if pushes else ()), *_references(inputs["cache-to"])]:
        if not _logged_in(image.split("/")[0]):
            _fail(f"ERROR: failed to push {image}: denied: requested access to the resource is denied")
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder, "metadata.json")
        image_id = Path(folder, "iid")
        command = ["docker", "buildx", "build", "--progress=plain", f"--metadata-file={facts}", f"--iidfile={image_id}"]
        command += _options(inputs)
        _say(" ".join(command))
        if subprocess.run(command, stderr=subprocess.STDOUT, env=_environ(), check=False).returncode:
            _fail("buildx failed")
        result = json.loads(facts.read_text())
        _record("docker/build-push-action", dict(inputs))
        return {
            "digest": result.get("containerimage.digest", ""),
            "imageid": image_id.read_text() if image_id.exists() else "",
            "metadata": json.dumps(result),
        }


def _options(inputs: Inputs) -> list[str]:
    repeated = {
        "annotations": ("annotation", _lines),
        "attests": ("attest", _lines),
        "build-args": ("build-arg", _lines),
        "build-contexts": ("build-context", _lines),
        "cache-from": ("cache-from", _lines),
        "cache-to": ("cache-to", _lines),
        "labels": ("label", _lines),
        "no-cache-filters": ("no-cache-filter", _list),
        "outputs": ("output", _lines),
        "platforms": ("platform", _list),
        "ssh": ("ssh", _lines),
        "tags": ("tag", _list),
    }
    single = {"file": "file", "network": "network", "target": "target"}
    switches = ("load", "no-cache", "pull", "push")
    options = [f"--{option}={value}" for name, (option, split) in repeated.items() for value in split(inputs[name])]
    options += [f"--{option}={inputs[name]}" for name, option in single.items() if inputs[name]]
    options += [f"--{name}" for name in switches if inputs[name] == "true"]
    for pair in _lines(inputs["secret-envs"]):
        key, _, variable = pair.partition("=")
        options.append(f"--secret=id={key},env={variable}")
    for pair in _lines(inputs["secret-files"]):
        key, _, path = pair.partition("=")
        options.append(f"--secret=id={key},src={path}")
    if inputs["provenance"]:
        options.append(f"--attest=type=provenance,{_attest(inputs['provenance'])}")
    elif inputs["load"] == "true":
        options.append("--provenance=false")
    if inputs["sbom"] not in ("", "false"):
        options.append("--attest=type=sbom")
    return [*options, inputs["context"]]


def _attest(value: str) -> str:
    return {"true": "mode=min", "false": "disabled=true"}.get(value, value)


def upload_artifact(inputs: Inputs) -> Outputs:
    kept = Path(os.environ["STANDIN_ARTIFACTS"], inputs["name"])
    if kept.exists():
        _fail(f"an artifact of the name {inputs['name']} exists already")
    kept.mkdir(parents=True)
    found = [path for pattern in _lines(inputs["path"]) for path in _matches(pattern)]
    if not found and inputs["if-no-files-found"] == "error":
        _fail(f"no file at {inputs['path']}")
    for path in found:
        shutil.copy(path, kept)
    return {"artifact-id": "1"}


def download_artifact(inputs: Inputs) -> Outputs:
    store = Path(os.environ["STANDIN_ARTIFACTS"])
    pattern = inputs["name"] or inputs["pattern"] or "*"
    target = Path(inputs["path"] or ".")
    found = sorted(store.glob(pattern))
    if not found and inputs["name"]:
        _fail(f"no artifact of the name {pattern}")
    for artifact in found:
        flat = inputs["name"] or inputs["merge-multiple"] == "true"
        shutil.copytree(artifact, target if flat else target / artifact.name, dirs_exist_ok=True)
    return {"download-path": str(target)}


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file()]
    return [file for file in path.parent.glob(path.name) if file.is_file()]


def cache(inputs: Inputs) -> Outputs:
    """Miss every cache."""
    if not (_lines(inputs["path"]) and inputs["key"]):
        _fail("Input required and not supplied: path and key")
    if inputs["fail-on-cache-miss"] == "true":
        _fail(f"Failed to restore cache entry. Input key: {inputs['key']}")
    _record("actions/cache", inputs)
    return {"cache-hit": ""}


def attest(inputs: Inputs) -> Outputs:
    if inputs["subject-digest"] and not re.fullmatch(r"sha256:[0-9a-f]{64}", inputs["subject-digest"]):
        _fail(f"subject-digest is no digest: {inputs['subject-digest']!r}")
    if not (inputs["subject-digest"] and inputs["subject-name"]):
        _fail("one of subject-path, subject-digest or subject-checksums is needed, and a name for a digest")
    _record("actions/attest", inputs)
    return {"attestation-id": "1", "attestation-url": "", "bundle-path": ""}


def cosign_installer(inputs: Inputs) -> Outputs:
    """Put a `cosign` on PATH that records its arguments."""
    folder = _job_file("cosign-bin")
    folder.mkdir(exist_ok=True)
    command = folder / "cosign"
    command.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys, uuid\n"
        f'pathlib.Path({os.environ["STANDIN_RECORDS"]!r}, f"cosign-{{uuid.uuid4()}}.json").write_text('
        f'json.dumps({{"action": "cosign", "inputs": {{"arguments": sys.argv[1:]}}}}))\n'
    )
    command.chmod(0o755)
    with Path(os.environ["GITHUB_PATH"]).open("a") as file:
        file.write(f"{folder}\n")
    return {}


def configure_aws_credentials(inputs: Inputs) -> Outputs:
    if not inputs["role-to-assume"]:
        _fail("Could not assume role: no role, and no stored keys are wanted")
    _record("aws-actions/configure-aws-credentials", inputs)
    return {"aws-account-id": "123456789012"}


def amazon_ecr_login(inputs: Inputs) -> Outputs:
    _record("aws-actions/amazon-ecr-login", inputs)
    return {"registry": "123456789012.dkr.ecr.eu-central-1.amazonaws.com"}


ACTIONS: dict[str, Callable[[Inputs], Outputs]] = {
    "actions/attest": attest,
    "actions/cache": cache,
    "actions/checkout": checkout,
    "actions/download-artifact": download_artifact,
    "actions/upload-artifact": upload_artifact,
    "aws-actions/amazon-ecr-login": amazon_ecr_login,
    "aws-actions/configure-aws-credentials": configure_aws_credentials,
    "docker/build-push-action": build_push,
    "docker/login-action": login,
    "docker/metadata-action": metadata,
    "docker/setup-buildx-action": setup_buildx,
    "docker/setup-qemu-action": setup_qemu,
    "sigstore/cosign-installer": cosign_installer,
}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _list(text: str) -> list[str]:
    return [word.strip() for line in text.splitlines() for word in line.split(",") if word.strip()]


def _fields(line: str) -> dict[str, str]:
    """Parse `key=value,key=value`. A value with a comma has quotes."""
    pairs = (field.partition("=") for field in next(csv.reader([line])))
    return {key.strip(): value for key, _, value in pairs}


def _references(text: str) -> list[str]:
    """Return the images in lines of `type=registry,ref=…`."""
    return [fields["ref"] for fields in map(_fields, _lines(text)) if fields.get("type") == "registry"]


def _job_file(name: str) -> Path:
    """Return a path of this job."""
    return Path(os.environ["RUNNER_TEMP"], f"standin-{name}")


def _docker_config() -> Path:
    return _job_file("docker-config")


def _environ() -> dict[str, str]:
    """Return an environment in which docker has this job's logins and the machine's plugins."""
    config = _docker_config()
    config.mkdir(parents=True, exist_ok=True)
    plugins = Path("~/.docker/cli-plugins").expanduser()
    if plugins.exists() and not (config / "cli-plugins").exists():
        (config / "cli-plugins").symlink_to(plugins)
    _export({"DOCKER_CONFIG": str(config)})
    return {**os.environ, "DOCKER_CONFIG": str(config)}


def _logged_in(registry: str) -> bool:
    file = _docker_config() / "config.json"
    return file.exists() and registry in json.loads(file.read_text()).get("auths", {})


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def _export(variables: Mapping[str, str]) -> None:
    """Set variables for the steps that follow."""
    with Path(os.environ["GITHUB_ENV"]).open("a") as file:
        for name, value in variables.items():
            file.write(f"{name}<<-END-\n{value}\n-END-\n")


def _record(action: str, inputs: Inputs) -> None:
    """Record the inputs of an action."""
    folder = Path(os.environ["STANDIN_RECORDS"])
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json", delete=False) as file:
        json.dump({"action": action, "job": os.environ.get("GITHUB_JOB", ""), "inputs": dict(inputs)}, file)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(text: str) -> NoReturn:
    _say(text)
    raise SystemExit(1)


def main(action: str) -> None:
    """Do what an action would do, and write its outputs."""
    outputs = ACTIONS[action](json.loads(os.environ["INPUTS"]))
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        for name, value in outputs.items():
            file.write(f"{name}<<-END-\n{value}\n-END-\n")


if __name__ == "__main__":
    main(sys.argv[1])
