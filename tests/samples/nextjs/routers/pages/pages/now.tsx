import type { GetServerSideProps } from "next"

type Props = { asked: string }

export const getServerSideProps: GetServerSideProps<Props> = async ({ req }) => ({
  props: { asked: String(req.headers["x-asked"] ?? "nothing") },
})

export default function Now({ asked }: Props) {
  return (
    <main>
      <p>asked: {`<${asked}>`}</p>
    </main>
  )
}
