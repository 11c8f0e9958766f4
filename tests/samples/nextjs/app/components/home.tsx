import Image from "next/image"
import Link from "next/link"

import { Counter } from "@/components/counter"
import { Dish } from "@/components/dish"
import { menu } from "@/lib/menu"
import photo from "@/assets/photo.png"

export function Home() {
  return (
    <main>
      <h1>{process.env.NEXT_PUBLIC_GREETING ?? "No greeting"}</h1>
      <Image src={photo} alt="The shop" priority />
      <ul>
        {menu.map((dish) => (
          <Dish key={dish.id} dish={dish} />
        ))}
      </ul>
      <Counter label="Orders" />
      <Link href="/now">Now</Link>
    </main>
  )
}
