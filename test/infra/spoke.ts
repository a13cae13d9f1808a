import { spokeTemplate } from '../../shared/domain/spoke/template.ts'
import type { SpokeDefaults } from '../../shared/domain/spoke/parameters.ts'
import { resolveTemplate, type Stack } from '../../lab/aws/template.ts'
import { account, region } from './deployment.ts'

export const hub = { hubAccount: account, hubRegion: region, externalId: 'of-the-hub' }

/** The spoke's template as it is made in one place, with every reference resolved. */
export const spoke = (
  at: { account: string; region: string },
  given: SpokeDefaults = hub,
  parameters: Record<string, string> = {},
): Stack => {
  const template = JSON.parse(JSON.stringify(spokeTemplate(given))) as Record<string, unknown>
  const where = { ...at, stackName: 'Spoke', queuesUrl: 'http://127.0.0.1:1' }
  // It names no asset, so that no folder is read for one.
  return resolveTemplate({ template, folder: import.meta.dirname, stackName: 'Spoke' }, where, parameters)
}
