/** The known names that contain a shortened one, three at most, or the one that is closest to a misspelt one, if it is close enough. */
export const nearest = (asked: string, known: readonly string[]): string[] => {
  const most = Math.max(2, Math.floor(asked.length / 3))
  const contained = known.filter((name) => asked.length > 2 && name.includes(asked))
  if (contained.length > 0 && contained.length <= 3) return contained
  const [best] = known
    .filter((name) => Math.abs(name.length - asked.length) <= most)
    .map((name) => ({ name, changes: distance(asked, name) }))
    .sort((a, b) => a.changes - b.changes)
  return best !== undefined && best.changes <= most ? [best.name] : []
}

/** The question behind the message that a name is not known, or nothing. */
export const didYouMean = (asked: string, known: readonly string[]): string => {
  const names = nearest(asked, known)
  return names.length === 0 ? '' : ` Did you mean ${new Intl.ListFormat('en', { type: 'disjunction' }).format(names)}?`
}

/** The Levenshtein distance. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1]
    for (const [at, other] of Array.from(to).entries()) {
      const change = (row[at] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(change, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
