const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const

/** `3 h 12 min`: the two largest units. Both times are RFC 3339. */
export const tookFrom = (since: string, until: string): string => {
  let left = Math.max(0, Math.round((Date.parse(until) - Date.parse(since)) / 1_000))
  if (left < 60) return `${left} s`
  const parts = units.flatMap(([name, seconds]) => {
    const count = Math.floor(left / seconds)
    left -= count * seconds
    return count > 0 ? [`${count} ${name}`] : []
  })
  return parts.slice(0, 2).join(' ')
}
