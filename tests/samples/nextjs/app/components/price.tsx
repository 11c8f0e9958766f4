export function Price({ cents }: { cents: number }) {
  return <data value={cents}>{(cents / 100).toFixed(2)}</data>
}
