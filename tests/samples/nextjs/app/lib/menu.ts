import entries from "./menu.json"

export type Dish = { id: string; name: string; cents: number }

export const menu: Dish[] = entries

export function find(id: string): Dish | undefined {
  return menu.find((dish) => dish.id === id)
}
