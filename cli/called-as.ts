/** How it was called: kubectl runs its plugins by a name of their own. */
export const programName = (): string =>
  process.env['CALICO_IPVS_SYNC_AS'] === 'kubectl' ? 'kubectl calico-ipvs' : 'calico-ipvs-sync'

/** Commands that are printed for people can be pasted as the program was called. */
export const asCalled = (text: string): string => {
  const name = programName()
  return name === 'calico-ipvs-sync' ? text : text.replaceAll(/\bcalico-ipvs-sync (?=[a-z])/g, `${name} `)
}
