import { amount } from "./amount"

export function Price({ cents }: { cents: number }) {
  return <data value={cents}>{amount(cents)}</data>
}
