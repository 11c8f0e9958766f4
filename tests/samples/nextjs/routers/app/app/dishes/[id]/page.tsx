import { notFound } from "next/navigation"

import { Dish } from "@/components/dish"
import { find, menu } from "@/lib/menu"

export function generateStaticParams() {
  return menu.map(({ id }) => ({ id }))
}

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const dish = find((await params).id)
  if (!dish) notFound()
  return (
    <ul>
      <Dish dish={dish} />
    </ul>
  )
}
