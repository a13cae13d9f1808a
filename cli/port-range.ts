/** As the API server has it: `30000-32767`, of ports and the right way round. Anything else is `undefined`. */
export const portRangeIn = (text: string): { min: number; max: number } | undefined => {
  const [, min = 0, max = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number)
  return min < 1 || max > 65535 || min > max ? undefined : { min, max }
}
