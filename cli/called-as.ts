/** How the program was called: kubectl runs plugins by another name. */
export const programName = (): string =>
  process.env['CALICO_IPVS_SYNC_AS'] === 'kubectl' ? 'kubectl calico-ipvs' : 'calico-ipvs-sync'

/** Printed commands start with the name by which the program was called. */
export const asCalled = (text: string): string => {
  const name = programName()
  return name === 'calico-ipvs-sync' ? text : text.replaceAll(/\bcalico-ipvs-sync (?=[a-z])/g, `${name} `)
}
