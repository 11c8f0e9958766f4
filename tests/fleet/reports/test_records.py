from __future__ import annotations

import json
from dataclasses import fields

from tests.fleet.reports.things import OUTCOMES, ROWS

from dockertpl.fleet.model import ItemResult, Row
from dockertpl.fleet.reports.records import records


def test_the_keys_are_the_fields_and_json_gives_the_values_back() -> None:
    found = json.loads(json.dumps(list(records(ROWS))))
    assert list(found[1]) == [field.name for field in fields(Row)]
    assert found[1]["conflicts"] == ["Dockerfile"]
    assert found[1]["repository"] == "org/torn"
    outcomes = json.loads(json.dumps(list(records(OUTCOMES))))
    assert list(outcomes[0]) == [field.name for field in fields(ItemResult)]
    assert outcomes[0]["seconds"] == 2.25
