import { about } from "@/lib/about"

export const dynamic = "force-dynamic"

export function GET() {
  return Response.json(about())
}
