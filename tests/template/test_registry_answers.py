"""The answers that each registry needs. A wrong one is refused before the rendering, with the right form."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

ROLE = "arn:aws:iam::123456789012:role/push-orders"
GAR = {
    "gcp_provider": "projects/1/locations/global/workloadIdentityPools/github/providers/github",
    "gcp_service_account": "push@project.iam.gserviceaccount.com",
}


def _resolve(**data: Any) -> dict[str, Any]:
    return dict(resolve(Template(bundled()), folder_name="orders", data=data).values)


@pytest.mark.parametrize(
    ("registry", "image"),
    [
        ("ghcr", ""),
        ("ghcr", "ghcr.io/acme/orders"),
        ("ecr", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"),
        ("ecr", "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/team/orders"),
        ("ecr", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/orders"),
        ("dockerhub", "docker.io/acme/orders"),
        ("gar", "europe-docker.pkg.dev/project/repository/orders"),
        ("gar", "us-central1-docker.pkg.dev/example.com:project/repository/orders"),
        ("acr", "acme.azurecr.io/orders"),
        ("other", "registry.example.com/acme/orders"),
        ("other", "localhost:5000/orders"),
        ("other", "127.0.0.1:5000/acme/orders"),
    ],
)
def test_a_registry_takes_its_own_form(registry: str, image: str) -> None:
    more = {"ecr": {"aws_role": ROLE}, "gar": GAR}.get(registry, {})
    assert _resolve(registry=registry, image=image, **more)["image"] == image


@pytest.mark.parametrize(
    ("registry", "image", "wanted"),
    [
        ("ghcr", "ghcr.io/Acme/orders", "ghcr.io/acme/orders"),
        ("ghcr", "docker.io/acme/orders", "ghcr.io/acme/orders"),
        ("ecr", "", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"),
        ("ecr", "orders", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"),
        # Without the account, and without the region.
        ("ecr", "dkr.ecr.eu-west-1.amazonaws.com/orders", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"),
        ("ecr", "123456789012.dkr.ecr.amazonaws.com/orders", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"),
        ("dockerhub", "orders", "docker.io/acme/orders"),
        ("dockerhub", "docker.io/orders", "docker.io/acme/orders"),
        ("gar", "europe-docker.pkg.dev/project/orders", "europe-docker.pkg.dev/project/repository/orders"),
        ("acr", "azurecr.io/orders", "acme.azurecr.io/orders"),
        ("other", "acme/orders", "registry.example.com/acme/orders"),
        ("other", "registry.example.com/acme/orders:latest", "registry.example.com/acme/orders"),
        ("other", "registry.example.com/$(id)", "registry.example.com/acme/orders"),
        ("other", "registry.example.com/a\nb", "registry.example.com/acme/orders"),
        ("other", "${{ secrets.TOKEN }}/orders", "registry.example.com/acme/orders"),
    ],
)
def test_another_form_is_refused_with_the_one_that_is_wanted(registry: str, image: str, wanted: str) -> None:
    with pytest.raises(BadAnswerError) as caught:
        _resolve(registry=registry, image=image, aws_role=ROLE, **GAR)
    assert "image" in caught.value.message
    assert f"write it like {wanted}" in caught.value.message


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({"registry": "ecr", "aws_role": "push-orders"}, "arn:aws:iam::123456789012:role/push-orders"),
        ({"registry": "gar", **GAR, "gcp_provider": "github"}, "workloadIdentityPools"),
        ({"registry": "gar", **GAR, "gcp_service_account": "push@acme.example"}, "iam.gserviceaccount.com"),
    ],
)
def test_a_cloud_s_identity_is_refused_with_its_form(answers: dict[str, str], wanted: str) -> None:
    image = {
        "ecr": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders",
        "gar": "europe-docker.pkg.dev/project/repository/orders",
    }[answers["registry"]]
    with pytest.raises(BadAnswerError, match=wanted):
        _resolve(image=image, **answers)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"ci": "github", "registry": "gitlab"}, "choose other"),
        ({"ci": "gitlab", "registry": "ecr"}, "choose gitlab, or other"),
        ({"ci": "gitlab", "platforms": "native"}, "choose emulated"),
        ({"prewarm": True}, "answer image"),
        ({"branch": "a b"}, "not a branch"),
        ({"branch": "$(id)"}, "not a branch"),
        ({"branch": "a/../b"}, "not a branch"),
    ],
)
def test_what_a_forge_cannot_do_is_refused_with_a_way_out(answers: dict[str, Any], word: str) -> None:
    with pytest.raises(BadAnswerError, match=word):
        _resolve(**answers)


@pytest.mark.parametrize(
    "environment",
    [
        ["A"],
        {"A B": "1"},
        {"A": "one\ntwo"},
        {"A": "${{ secrets.TOKEN }}"},
        {"A": None},
        {"A": {"b": "c"}},
        {"1A": "x"},
    ],
)
def test_the_smoke_test_takes_only_plain_values(environment: Any) -> None:
    with pytest.raises(BadAnswerError, match="smoke_test_env"):
        _resolve(smoke_test_env=environment)


def test_a_value_with_quotes_reaches_the_smoke_test_as_it_is() -> None:
    import yaml

    template = Template(bundled())
    value = """it's "$(id)" `id` \\ #"""
    tree = render(template, resolve(template, folder_name="orders", data={"smoke_test_env": {"GREETING": value}}))
    workflow = yaml.safe_load(tree[".github/workflows/orders-image.yml"].content)
    found = [step for job in workflow["jobs"].values() for step in job["steps"] if step["name"] == "Smoke test"]
    assert len(found) == 2
    for step in found:
        assert step["env"]["SMOKE_TEST_GREETING"] == value
        assert '--env GREETING="$SMOKE_TEST_GREETING"' in step["run"]
