import { readFileSync } from 'node:fs'

// Name and text of each snippet of the document.
export function snippets() {
  const text = readFileSync(new URL('../../pipeline/rpc/RECIPES.md', import.meta.url), 'utf8')
  return new Map([...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, name, body]) => [name, body]))
}
