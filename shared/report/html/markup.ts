import { plain, plainLines } from '../wording.ts'

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

// U+FFFE and U+FFFF are no characters of XML 1.0 at all, escaped or not.
const escaped = (text: string): string =>
  text.replace(/[\ufffe\uffff]/g, '').replace(/[&<>"']/g, (it) => entities[it] ?? it)

/** For the content and the quoted attributes of HTML and XML alike; one line. */
export const escape = (text: string): string => escaped(plain(text))

const fromTheRight = '[\\p{Script=Hebrew}\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Thaana}\\p{Script=Nko}]+'
const runs = new RegExp(`${fromTheRight}(?: +${fromTheRight})*`, 'gu')

/** Names that are read from the right in isolation: a browser would move the numbers beside them to their other side. */
const isolated = (text: string): string => text.replace(runs, '&#8296;$&&#8297;')

/** The same, lines kept. */
export const escapeLines = (text: string): string => escaped(plainLines(text).join('\n'))

/** Text that is markup already. Only `html` makes it, so nothing unescaped can get into a page. */
export interface Markup {
  readonly markup: string
}
type Piece = string | number | Markup | readonly Markup[] | undefined

/** Puts values into markup: texts escaped, markup as it is, `undefined` as nothing. */
export const html = (parts: TemplateStringsArray, ...values: Piece[]): Markup => ({
  markup: parts.map((part, at) => part + pieceText(values[at])).join(''),
})

/** For `pre`: the same as a text, but its lines stay. */
export const lines = (text: string): Markup => ({ markup: escapeLines(text) })

/** By its depth in the page, where the same part stands in more than one kind of page. */
export const heading = (level: number, content: string | Markup): Markup => {
  const name = { markup: `h${level}` }
  return html`<${name}>${content}</${name}>`
}

const isMarkup = (piece: Markup | readonly Markup[]): piece is Markup => 'markup' in piece

const pieceText = (piece: Piece): string => {
  if (piece === undefined) return ''
  if (typeof piece === 'string') return isolated(escape(piece))
  if (typeof piece === 'number') return String(piece)
  return isMarkup(piece) ? piece.markup : piece.map(({ markup }) => markup).join('')
}
