import type { GetStaticPaths, GetStaticProps } from "next"

import { Dish } from "@/components/dish"
import { type Dish as Entry, find, menu } from "@/lib/menu"

type Props = { dish: Entry }

export const getStaticPaths: GetStaticPaths = () => ({
  paths: menu.map(({ id }) => ({ params: { id } })),
  fallback: "blocking",
})

export const getStaticProps: GetStaticProps<Props> = ({ params }) => {
  const dish = find(String(params?.id))
  return dish ? { props: { dish } } : { notFound: true }
}

export default function Page({ dish }: Props) {
  return (
    <ul>
      <Dish dish={dish} />
    </ul>
  )
}
