/** Columns of a terminal: letters of East Asia and emoji take two, marks on a letter none. */
const two =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u
/** Kana and Hangul of half the width. */
const half = /[\uff61-\uffdc]/
const none = /[\p{Mn}\p{Me}]/u
const isUsual = (text: string): boolean => /^[ -~]*$/.test(text)

const widthOfOne = (letter: string): number => {
  if (letter <= '~') return 1
  return none.test(letter) ? 0 : two.test(letter) && !half.test(letter) ? 2 : 1
}

/** The columns that a text takes, which has been made `plain` before. */
export const columnsOf = (text: string): number =>
  isUsual(text) ? text.length : Array.from(text).reduce((sum, letter) => sum + widthOfOne(letter), 0)

/** `padEnd` by columns. */
export const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columnsOf(text)))

/** The longest beginning that has room. */
const beginning = (text: string, room: number): string => {
  if (isUsual(text)) return text.slice(0, room)
  let [taken, used] = ['', 0]
  for (const letter of text) {
    used += widthOfOne(letter)
    if (used > room) break
    taken += letter
  }
  return taken
}

/** Cut to what there is room for, and seen to be cut. */
export const clipped = (text: string, most: number): string =>
  columnsOf(text) > most ? `${beginning(text, most - 1)}…` : text

/** The same, between two words. */
export const clippedAtWord = (text: string, most: number): string => {
  const cut = clipped(text, most)
  const at = cut === text ? -1 : text.lastIndexOf(' ', cut.length - 1)
  return at < most / 2 ? cut : `${text.slice(0, at)} …`
}

/** A text, or one whose end is not cut: the count behind a name. */
export type Cell = string | { name: string; end: string }

export const wholeText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.name + cell.end)

/** Cut where most of the texts stay different: nodes of EC2 differ at their beginning, other names at their end. */
export const clippedApart = (cells: readonly Cell[], most: number): string[] => {
  const ways = [clippedInside, clipped].map((way) => cells.map((it) => clippedCell(it, most, way)))
  return ways.reduce((best, way) => (new Set(way).size > new Set(best).size ? way : best))
}

const clippedCell = (cell: Cell, most: number, way: typeof clipped): string => {
  const room = typeof cell === 'string' ? 0 : most - columnsOf(cell.end)
  return typeof cell === 'string' || room < 2 ? way(wholeText(cell), most) : way(cell.name, room) + cell.end
}

/** Cut in the middle: names differ at their ends. */
export const clippedInside = (text: string, most: number): string => {
  if (columnsOf(text) <= most) return text
  const end = Array.from(text).slice(-Math.floor((most - 1) / 2))
  while (columnsOf(end.join('')) > (most - 1) / 2) end.shift()
  return `${beginning(text, most - 1 - columnsOf(end.join('')))}…${end.join('')}`
}

/** Cuts a word that is wider than a line into pieces that fit. */
export const pieces = (word: string, room: number): string[] => {
  const all: string[] = []
  let rest = word
  while (columnsOf(rest) > room) {
    const piece = beginning(rest, room)
    all.push(piece)
    rest = rest.slice(piece.length)
  }
  return [...all, rest]
}
