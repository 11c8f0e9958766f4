import { headers } from "next/headers"

export default async function Now() {
  const asked = (await headers()).get("x-asked") ?? "nothing"
  return (
    <main>
      <p>asked: {`<${asked}>`}</p>
    </main>
  )
}
