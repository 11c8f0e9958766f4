import { Price } from "@/components/price"
import type { Dish as Entry } from "@/lib/menu"

export function Dish({ dish }: { dish: Entry }) {
  return (
    <li>
      {dish.name} <Price cents={dish.cents} />
    </li>
  )
}
