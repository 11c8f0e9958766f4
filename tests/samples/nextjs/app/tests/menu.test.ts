import assert from "node:assert"
import test from "node:test"

import { find } from "../lib/menu"

test("a dish is found by its name", () => {
  assert.equal(find("soup")?.cents, 450)
})
