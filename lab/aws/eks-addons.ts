import * as z from 'zod'
import { type Addon, eksError, type Holding, newAddon, now } from './eks-model.ts'
import { type EksCall, type EksContext, holdingNamed, type Operations, paged, parseBody } from './eks-operation.ts'
import { addonEvent } from './eks-trail.ts'
import { addonModes, checkConfiguration, configurationSchema, defaultAddonVersion } from './eks-versions.ts'

const resolveConflicts = z.enum(['NONE', 'OVERWRITE', 'PRESERVE']).optional()
const shape = { addonVersion: z.string().optional(), configurationValues: z.string().optional(), resolveConflicts }
const addonUpdate = z.looseObject(shape)
const addonCreation = z.looseObject({ addonName: z.string().min(1), ...shape })

export const addonOperations: Operations = {
  ListAddons: {
    method: 'GET',
    path: '/clusters/{name}/addons',
    run: (call, eks) => {
      const { page, ...more } = paged([...holdingNamed(eks, call).addons.keys()].sort(), call.query)
      return { addons: page, ...more }
    },
  },
  DescribeAddon: {
    method: 'GET',
    path: '/clusters/{name}/addons/{addonName}',
    run: (call, eks) => ({ addon: addonNamed(holdingNamed(eks, call), call) }),
  },
  CreateAddon: { method: 'POST', path: '/clusters/{name}/addons', run: create },
  UpdateAddon: { method: 'POST', path: '/clusters/{name}/addons/{addonName}/update', run: update },
  DeleteAddon: { method: 'DELETE', path: '/clusters/{name}/addons/{addonName}', run: remove },
  DescribeAddonConfiguration: {
    method: 'GET',
    path: '/addons/configuration-schemas',
    run: ({ query }) => {
      const [addonName, addonVersion] = [query.get('addonName') ?? '', query.get('addonVersion') ?? '']
      return {
        addonName,
        addonVersion,
        configurationSchema: JSON.stringify(configurationSchema(addonName, addonVersion)),
      }
    },
  },
}

function addonNamed({ cluster, addons }: Holding, { labels }: EksCall): Addon {
  const addonName = labels['addonName'] ?? ''
  const addon = addons.get(addonName)
  if (addon !== undefined) return addon
  const fields = { clusterName: cluster.name, addonName }
  throw eksError('ResourceNotFoundException', `No addon: ${addonName} found in cluster: ${cluster.name}`, fields)
}

function create(call: EksCall, eks: EksContext) {
  const holding = holdingNamed(eks, call)
  const { addonName, addonVersion, configurationValues } = parseBody(addonCreation, call.body)
  const fields = { clusterName: holding.cluster.name, addonName }
  if (holding.addons.has(addonName)) throw eksError('ResourceInUseException', 'Addon already exists.', fields)
  const version = addonVersion ?? defaultAddonVersion(holding.cluster.version)
  checkConfiguration(configurationValues, addonModes(addonName, version))
  const addon = newAddon(holding, addonName, version, configurationValues)
  holding.addons.set(addonName, addon)
  const answer = structuredClone(addon)
  follow(eks, holding, { addon, what: 'Creation', effect: () => (addon.status = 'ACTIVE') })
  return { addon: answer }
}

function update(call: EksCall, eks: EksContext) {
  const holding = holdingNamed(eks, call)
  const addon = addonNamed(holding, call)
  const { addonVersion, configurationValues, resolveConflicts } = parseBody(addonUpdate, call.body)
  mustBeSettled(addon)
  checkConfiguration(configurationValues, addonModes(addon.addonName, addonVersion ?? addon.addonVersion))
  addon.status = 'UPDATING'
  const effect = () => {
    if (addonVersion !== undefined) addon.addonVersion = addonVersion
    // OVERWRITE without values is EKS's default configuration again; otherwise values not named are kept.
    if (configurationValues !== undefined) addon.configurationValues = configurationValues
    else if (resolveConflicts === 'OVERWRITE') delete addon.configurationValues
    Object.assign(addon, { status: 'ACTIVE', modifiedAt: now() })
  }
  const params = {
    AddonVersion: addonVersion,
    ResolveConflicts: resolveConflicts,
    ConfigurationValues: configurationValues,
  }
  return { update: follow(eks, holding, { addon, what: 'Update', effect, params }) }
}

function remove(call: EksCall, eks: EksContext) {
  const holding = holdingNamed(eks, call)
  const addon = addonNamed(holding, call)
  mustBeSettled(addon)
  addon.status = 'DELETING'
  const answer = structuredClone(addon)
  follow(eks, holding, { addon, what: 'Deletion', effect: () => holding.addons.delete(addon.addonName) })
  return { addon: answer }
}

function mustBeSettled({ addonName, clusterName, status }: Addon): void {
  if (!['CREATING', 'UPDATING', 'DELETING'].includes(status)) return
  throw eksError(
    'ResourceInUseException',
    `Addon ${addonName} cannot be updated as it is currently in ${status} state`,
    {
      clusterName,
      addonName,
    },
  )
}

interface AddonChange {
  addon: Addon
  what: 'Creation' | 'Update' | 'Deletion'
  effect: () => unknown
  params?: Record<string, unknown>
}

const failed = { Creation: 'CREATE_FAILED', Update: 'UPDATE_FAILED', Deletion: 'DELETE_FAILED' } as const

/** Only UpdateAddon has an update to describe; all three end with a native event. */
function follow(eks: EksContext, holding: Holding, { addon, what, effect, params = {} }: AddonChange) {
  const finish = async () => {
    if (what === 'Deletion') await eks.onAddonUpdated?.(holding.cluster, addon)
    effect()
    if (what !== 'Deletion') await eks.onAddonUpdated?.(holding.cluster, addon)
  }
  const ended = ({ status }: { status: string }) => {
    if (status === 'Failed') addon.status = failed[what]
    eks.onEvent?.(addonEvent(`${what} ${status === 'Failed' ? 'Failed' : 'Succeeded'}`, holding, addon))
  }
  const request = { type: 'AddonUpdate', params, addonName: addon.addonName, finish, ended }
  const started = eks.updates.start(holding, request)
  if (what !== 'Update') holding.updates.pop()
  return started
}
