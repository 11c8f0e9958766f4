from __future__ import annotations

import pytest

from dockertpl.detect.naming import folder_name, image_name


def test_a_name_fits_its_validator() -> None:
    assert image_name("..Ünï--code__" + "x" * 99) == image_name("..Ünï--code__" + "x" * 99).strip("-")
    assert len(image_name("x" * 99)) == 63


@pytest.mark.parametrize(("folder", "name"), [("services/Order_API", "order-api"), ("web/app", "web"), (".", "")])
def test_a_folder_names_the_image_unless_every_repository_has_one(folder: str, name: str) -> None:
    assert folder_name(folder) == name
