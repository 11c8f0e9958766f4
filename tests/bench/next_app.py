"""Write the Next.js application of the bench: 160 pages that share 64 components, the same in every run.

Each page draws its own rows with five of the components. A third of the components run in the browser.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.samples import next_sample

SECTIONS = (
    "accounts",
    "billing",
    "catalogue",
    "delivery",
    "inventory",
    "marketing",
    "orders",
    "payroll",
    "projects",
    "reports",
)
PAGES = (
    "overview",
    "activity",
    "archive",
    "audit",
    "calendar",
    "compare",
    "exports",
    "forecast",
    "history",
    "imports",
    "members",
    "notes",
    "planning",
    "settings",
    "summary",
    "trends",
)
SUBJECTS = ("Account", "Budget", "Client", "Order", "Region", "Stock", "Team", "Ticket")
#: The page and the component that a code change edits. The page draws the component.
PAGE = Path("app", "orders", "summary", "page.tsx")
COMPONENT = Path("components", "order-headline.tsx")
ROWS = 24

#: The components of each subject. The props are a title and rows, and some keep state in the browser.
SHAPES = {
    "headline": """
import type { Row } from "@/lib/rows"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  const total = rows.reduce((sum, row) => sum + row.amount, 0)
  return (
    <header className="headline">
      <h2>{title}</h2>
      <p>
        $subject total: <strong>{total.toLocaleString("en")}</strong> of {rows.length} rows
      </p>
    </header>
  )
}
""",
    "table": """
import type { Row } from "@/lib/rows"
import { money } from "@/lib/format"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <table className="table">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th>$subject</th>
          <th>Owner</th>
          <th>Amount</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td>{row.name}</td>
            <td>{row.owner}</td>
            <td>{money(row.amount)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
""",
    "filter": """
"use client"

import { useMemo, useState } from "react"

import type { Row } from "@/lib/rows"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  const [text, setText] = useState("")
  const found = useMemo(() => rows.filter((row) => row.name.toLowerCase().includes(text.toLowerCase())), [rows, text])
  return (
    <section className="filter">
      <label>
        {title}
        <input value={text} placeholder="Find a $subject" onChange={(event) => setText(event.target.value)} />
      </label>
      <ol>
        {found.slice(0, 8).map((row) => (
          <li key={row.id}>{row.name}</li>
        ))}
      </ol>
    </section>
  )
}
""",
    "tiles": """
import type { Row } from "@/lib/rows"
import { money, percent } from "@/lib/format"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  const largest = Math.max(...rows.map((row) => row.amount))
  return (
    <section className="tiles" aria-label={title}>
      {rows.slice(0, 6).map((row) => (
        <article key={row.id}>
          <h3>{row.name}</h3>
          <p>{money(row.amount)}</p>
          <small>{percent(row.amount / largest)} of the largest $subject</small>
        </article>
      ))}
    </section>
  )
}
""",
    "sorter": """
"use client"

import { useState } from "react"

import type { Row } from "@/lib/rows"
import { money } from "@/lib/format"

type Key = "name" | "owner" | "amount"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  const [key, setKey] = useState<Key>("name")
  const sorted = [...rows].sort((a, b) => (a[key] < b[key] ? -1 : 1))
  return (
    <section className="sorter">
      <h3>{title}</h3>
      {(["name", "owner", "amount"] as const).map((name) => (
        <button key={name} type="button" aria-pressed={name === key} onClick={() => setKey(name)}>
          $subject by {name}
        </button>
      ))}
      <ul>
        {sorted.map((row) => (
          <li key={row.id}>
            {row.name} {row.owner} {money(row.amount)}
          </li>
        ))}
      </ul>
    </section>
  )
}
""",
    "timeline": """
import type { Row } from "@/lib/rows"
import { day } from "@/lib/format"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <section className="timeline">
      <h3>{title}</h3>
      <ol>
        {rows.map((row) => (
          <li key={row.id} className={row.open ? "open" : "done"}>
            <time dateTime={row.at}>{day(row.at)}</time> $subject {row.name}
          </li>
        ))}
      </ol>
    </section>
  )
}
""",
    "toggle": """
"use client"

import { useState, type ReactNode } from "react"

import type { Row } from "@/lib/rows"

export function $Name({ title, rows, children }: { title: string; rows: Row[]; children?: ReactNode }) {
  const [open, setOpen] = useState(false)
  const shown = open ? rows : rows.filter((row) => row.open)
  return (
    <section className="toggle">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? "Every" : "Open"} $subject: {title}
      </button>
      <p>{shown.map((row) => row.name).join(", ")}</p>
      {children}
    </section>
  )
}
""",
    "summary": """
import type { Row } from "@/lib/rows"
import { money } from "@/lib/format"

export function $Name({ title, rows }: { title: string; rows: Row[] }) {
  const byOwner = new Map<string, number>()
  for (const row of rows) byOwner.set(row.owner, (byOwner.get(row.owner) ?? 0) + row.amount)
  return (
    <dl className="summary" aria-label={title}>
      {[...byOwner].map(([owner, amount]) => (
        <div key={owner}>
          <dt>{owner} ($subject)</dt>
          <dd>{money(amount)}</dd>
        </div>
      ))}
    </dl>
  )
}
""",
}

FORMAT = """
export function money(amount: number): string {
  return new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(amount)
}

export function percent(share: number): string {
  return new Intl.NumberFormat("en", { style: "percent" }).format(share)
}

export function day(at: string): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(at))
}
"""

ROW = """
export type Row = {
  id: string
  name: string
  owner: string
  amount: number
  at: string
  open: boolean
}
"""

LAYOUT = """
import type { Metadata } from "next"
import type { ReactNode } from "react"

import { Navigation } from "@/components/navigation"
import "./globals.css"

export const metadata: Metadata = { title: { default: "Office", template: "%s, Office" } }

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Navigation />
        <main>{children}</main>
      </body>
    </html>
  )
}
"""

NAVIGATION = """
"use client"

import Link from "next/link"
import { usePathname } from "next/navigation"

const sections = $sections

export function Navigation() {
  const path = usePathname()
  return (
    <nav>
      {sections.map((section) => (
        <Link key={section} href={`/${section}/overview`} aria-current={path.startsWith(`/${section}/`)}>
          {section}
        </Link>
      ))}
    </nav>
  )
}
"""

HOME = """
import Image from "next/image"

export default function Home() {
  return (
    <>
      <h1>Office</h1>
      <Image src="/logo.png" alt="" width={256} height={128} priority />
    </>
  )
}
"""

PAGE_TEXT = """
import type { Metadata } from "next"

$imports
import type { Row } from "@/lib/rows"

export const metadata: Metadata = { title: "$title" }

const rows: Row[] = $rows

export default function Page() {
  return (
    <>
      <h1>$title</h1>
$drawn
    </>
  )
}
"""

HEALTH = """
export const dynamic = "force-dynamic"

export function GET() {
  return Response.json({ status: "ok" })
}
"""

CONFIG = """
import type { NextConfig } from "next"

const config: NextConfig = {
  reactStrictMode: true,
}

export default config
"""


def write(folder: Path) -> None:
    """Create a folder with the application and its npm lock."""
    folder.mkdir(parents=True)
    for path, text in _files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip("\n"))
    (folder / "public").mkdir()
    (folder / "public" / "logo.png").write_bytes(next_sample.picture(*next_sample.LOGO))
    next_sample.relock(folder, "npm")


def _files() -> dict[str, str]:
    known = next_sample.catalog()["app"]
    manifest = {
        "name": "office",
        "version": known["version"],
        "private": True,
        "scripts": {key: known["scripts"][key] for key in ("dev", "build", "start")},
        "dependencies": known["dependencies"],
        "devDependencies": known["dev"],
    }
    result = {
        "package.json": json.dumps(manifest, indent=2) + "\n",
        "tsconfig.json": json.dumps(next_sample.tsconfig("."), indent=2) + "\n",
        "next.config.ts": CONFIG,
        "README.md": "# Office\n",
        "lib/format.ts": FORMAT,
        "lib/rows.ts": ROW,
        "app/layout.tsx": LAYOUT,
        "app/page.tsx": HOME,
        "app/globals.css": "body {\n  font-family: sans-serif;\n}\n\nnav a {\n  margin-right: 1rem;\n}\n",
        "app/api/health/route.ts": HEALTH,
        "components/navigation.tsx": _filled(NAVIGATION, sections=json.dumps(SECTIONS)),
    }
    names = []
    for subject in SUBJECTS:
        for shape, text in SHAPES.items():
            names.append((subject, shape))
            result[f"components/{subject.lower()}-{shape}.tsx"] = _filled(
                text, Name=_component(subject, shape), subject=subject.lower()
            )
    chance = random.Random(160)
    for section in SECTIONS:
        for page in PAGES:
            used = chance.sample([name for name in names if name != ("Order", "headline")], 4)
            # Every second page draws the component that the bench changes.
            used += [("Order", "headline")] if PAGES.index(page) % 2 == 0 else []
            result[f"app/{section}/{page}/page.tsx"] = _page(f"{section.title()} {page}", sorted(used), chance)
    return result


def _page(title: str, used: list[tuple[str, str]], chance: random.Random) -> str:
    imports = [f'import {{ {_component(*one)} }} from "@/components/{one[0].lower()}-{one[1]}"' for one in used]
    drawn = [
        f'      <{_component(*one)} title="{title}, part {number}" rows={{rows}} />'
        for number, one in enumerate(used, 1)
    ]
    rows = [
        {
            "id": f"r{number}",
            "name": f"{chance.choice(SUBJECTS)} {chance.randrange(10_000):04}",
            "owner": chance.choice(("Ada", "Ben", "Cem", "Dana", "Eve")),
            "amount": chance.randrange(100_000),
            "at": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
            "open": chance.random() < 0.4,
        }
        for number in range(ROWS)
    ]
    listed = "[\n" + "".join(f"  {json.dumps(row)},\n" for row in rows) + "]"
    return _filled(PAGE_TEXT, title=title, imports="\n".join(imports), drawn="\n".join(drawn), rows=listed)


def _component(subject: str, shape: str) -> str:
    return f"{subject}{shape.title()}"


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text
