import { type RemedyPart, remedyParts } from '../../domain/remedy-parts.ts'
import { escape, html, lines } from './markup.ts'
import type { Markup } from './markup.ts'

/** Sentences as sentences; what can be pasted in boxes of its own, which the page's script gives a button. */
export const remedyBlock = (remedy: string): Markup => {
  const blocks: { isPaste: boolean; parts: RemedyPart[] }[] = []
  for (const part of remedyParts(remedy)) {
    const isPaste = part.kind !== 'prose'
    const last = blocks.at(-1)
    if (last && last.isPaste === isPaste) last.parts.push(part)
    else blocks.push({ isPaste, parts: [part] })
  }
  return html`${blocks.map(({ isPaste, parts }) => (isPaste ? paste(parts) : html`${parts.map(sentence)}`))}`
}

const paste = (parts: readonly RemedyPart[]): Markup =>
  html`<pre class="paste"><code>${lines(parts.map(textOf).join('\n'))}</code></pre>`

const textOf = (part: RemedyPart): string =>
  part.kind === 'command' && part.comment !== undefined ? `${part.text}   ${part.comment}` : part.text

/** A command at the end of a sentence (`Look at it: kubectl …`) is a box as well. */
const sentence = ({ text }: RemedyPart): Markup => {
  const [, words, command] = /^(.{0,200}?:) ((?:kubectl|aws|calico-ipvs-sync) .+)$/.exec(text) ?? []
  if (words === undefined || command === undefined) return text === '' ? html`` : html`<p>${text}</p>`
  return html`<p>${words}</p><pre class="paste"><code>${{ markup: escape(command) }}</code></pre>`
}
