"""The shared base images of the pairwise set: their Dockerfiles, their bake files, and their dependents."""

from __future__ import annotations

import json
import re

from tests.lint.rendering import Rendering

PROBES = {
    "python": ["python3"],
    "node": ["node"],
    "python-node": ["python3", "node"],
    "sandbox": ["python3", "node"],
}


def _bases(renderings: list[Rendering]) -> list[Rendering]:
    found = [rendering for rendering in renderings if rendering.answers["kind"] == "shared-base"]
    assert found
    return found


def _dependents(running: list[Rendering]) -> list[Rendering]:
    found = [rendering for rendering in running if rendering.answers["base_image"]]
    assert {rendering.answers["kind"] for rendering in found} == {
        "python-fastapi", "nextjs-standalone", "sandbox-multi-runtime",
    }  # fmt: skip
    return found


def test_shared_bases_have_one_dockerfile_for_each_base(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        app_dir = rendering.answers["app_dir"]
        folder = "" if app_dir == "." else f"{app_dir}/"
        files = {path for path in rendering.texts if "Dockerfile" in path}
        expected = {f"{folder}{flavor}/Dockerfile" for flavor in rendering.answers["bases"]}
        assert files == expected | {f"{path}.dockerignore" for path in expected}
        assert ".dockerignore" not in rendering.texts


def test_only_shared_bases_have_a_bake_file(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        assert ("docker-bake.hcl" in rendering.texts) == (rendering.answers["kind"] == "shared-base")


def test_a_base_takes_nothing_of_the_repository_and_no_onbuild(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        for commands in rendering.stages.values():
            assert [c.text for c in commands if c.name in ("ONBUILD", "ADD", "VOLUME")] == []
            copies = [c for c in commands if c.name == "COPY" and "<<" not in c.text]
            assert [c.text for c in copies if "--link" not in c.flags or "--from=node" not in c.flags] == []


def test_a_base_s_probe_starts_each_of_its_runtimes(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        probe = rendering.last("base", "HEALTHCHECK")
        assert probe
        words = json.loads(re.sub(r"^.*?\bCMD\s+(?=\[)", "", probe.text.replace("\\\n", " "), flags=re.DOTALL))
        runtimes = PROBES[rendering.answers["flavor"]]
        assert words[0] == (runtimes[0] if len(runtimes) == 1 else "sh")
        assert all(f"{runtime} -" in " ".join(words) for runtime in runtimes)
        assert "--start-period=" in " ".join((*probe.flags, probe.text))


def test_every_step_of_a_base_ends_with_one_date_for_what_it_wrote(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        steps = [c.text for commands in rendering.stages.values() for c in commands if c.name == "RUN"]
        assert steps
        ending = re.compile(r"(-newer /dev|-type d) -exec touch (--no-dereference )?--date=2000-01-01 \{\} \+\Z")
        assert [step for step in steps if not ending.search(step)] == []


def test_a_base_with_python_has_the_standard_library_compiled(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        steps = [c.text for c in rendering.stages["base"] if c.name == "RUN"]
        compiled = [step for step in steps if f"/usr/local/lib/python{rendering.answers['python_version']}" in step]
        assert bool(compiled) == (rendering.answers["flavor"] != "node")


def test_the_bake_file_names_every_base_and_every_dependent(renderings: list[Rendering]) -> None:
    for rendering in _bases(renderings):
        text = rendering.texts["docker-bake.hcl"]
        targets = re.findall(r'^target "(.+)" \{$', text, re.MULTILINE)
        dependents = [name.replace(".", "-") for name in rendering.answers["dependents"]]
        assert targets == [f"base-{flavor}" for flavor in rendering.answers["bases"]] + dependents
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", target) for target in targets)
        assert ('group "dependents"' in text) == bool(dependents)
        places = re.findall(r'^  context    = "(.+)"\n  dockerfile = "(.+)"$', text, re.MULTILINE)
        assert len(places) == len(targets)
        for context, dockerfile in places[: len(rendering.answers["bases"])]:
            assert (rendering.root / context / dockerfile).is_file()


def test_only_the_final_stage_of_a_dependent_uses_the_base(running: list[Rendering]) -> None:
    for rendering in _dependents(running):
        on = {name: commands[0].words[0] for name, commands in rendering.stages.items() if name}
        # Copied files are made on the public image, so a moved base leaves them unchanged.
        assert [name for name, image in on.items() if image == "${BASE_IMAGE}"] == ["prod"]


def test_every_copy_into_a_service_on_a_base_is_linked(running: list[Rendering]) -> None:
    """A linked layer stays the same when the base moves."""
    for rendering in _dependents(running):
        if rendering.answers["kind"] == "sandbox-multi-runtime":
            continue  # It installs packages on its base, again for each new base.
        copies = [c for c in rendering.stages["prod"] if c.name == "COPY" and "<<" not in c.text]
        assert copies
        assert [c.text for c in copies if "--link" not in c.flags] == []


def test_a_service_adds_no_user_to_its_base_and_no_package_it_was_not_asked_for(running: list[Rendering]) -> None:
    for rendering in _dependents(running):
        if rendering.answers["kind"] == "sandbox-multi-runtime":
            continue  # It has its own user, who installs packages.
        steps = [c.text for c in rendering.stages["prod"] if c.name == "RUN"]
        assert len([step for step in steps if "apt-get" in step]) == bool(rendering.answers["runtime_packages"])
        assert [step for step in steps if "useradd" in step or "/etc/passwd" in step] == []
