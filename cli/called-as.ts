const own = 'calico-ipvs-sync'

/** How the program was called, as it can be called again: kubectl runs plugins by another name, npx finds what is on no PATH. */
export const programName = (): string => {
  const { CALICO_IPVS_SYNC_AS, npm_lifecycle_event, npm_lifecycle_script = '', npm_config_package = '' } = process.env
  if (CALICO_IPVS_SYNC_AS === 'kubectl') return 'kubectl calico-ipvs'
  // What npx runs inherits these names, so only the script tells that it ran this program.
  if (npm_lifecycle_event !== 'npx' || !/^['"]?calico-ipvs-sync\b/.test(npm_lifecycle_script)) return own
  if (npm_config_package === '') return `npx ${own}`
  return /^[\w@.:/+~-]+$/.test(npm_config_package) ? `npx --package=${npm_config_package} ${own}` : own
}

/** The words that follow the name in a command; after any other word the name is that of the project. */
export const commandNames = [
  'check',
  'plan',
  'sync',
  'rollout',
  'sweep',
  'grant',
  'rbac',
  'history',
  'spoke-template',
  'notify',
  'capture',
  'doctor',
  'explain',
  'completion',
  'help',
] as const

const printedCommand = new RegExp(`(?<!npx )\\b${own} (?=(?:${commandNames.join('|')}|--version|--help)\\b)`, 'g')

/** Printed commands start with the name by which the program was called. */
export const asCalled = (text: string): string => {
  const name = programName()
  return name === own ? text : text.replaceAll(printedCommand, `${name} `)
}

/** How many letters that name has more than the usual one. */
export const longerBy = (): number => Math.max(programName().length - own.length, 0)
