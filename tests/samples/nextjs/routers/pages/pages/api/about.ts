import type { NextApiRequest, NextApiResponse } from "next"

import { about } from "@/lib/about"

export default function handler(_request: NextApiRequest, response: NextApiResponse) {
  response.json(about())
}
