/**
 * The ports that a node treats as node ports, from the rules in its packet filter: `20000:32767`. Empty: it has no such
 * rules, as Felix makes them in IPVS mode only. (felix/rules/static.go, `forward-check`.)
 */
export function nodePortsIn(rules: readonly string[]): string {
  const dports = rules
    .filter((line) => line.includes('To kubernetes NodePort service') && line.startsWith('-A cali-forward-check'))
    .map((line) => / --dports (\S+)/.exec(line)?.[1] ?? '?')
  return [...new Set(dports)].toSorted().join(',')
}

/**
 * All that the rules say but the node ports: without the marks that Felix makes of a rule's text, and without
 * counters. Equal texts filter alike.
 */
export const otherwise = (rules: readonly string[]): string =>
  rules
    .filter((line) => /^[-:]/.test(line))
    .map((line) => line.replace(/ --comment "cali:[^"]*"/, '').replace(/ \[\d+:\d+\]$/, ''))
    .map((line) => (line.includes('To kubernetes NodePort service') ? line.replace(/ --dports \S+/, '') : line))
    .join('\n')
