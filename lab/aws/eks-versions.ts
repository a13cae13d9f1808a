import * as z from 'zod'
import { eksError } from './eks-model.ts'
import { type Operations, paged, parseBody } from './eks-operation.ts'

const minors = [31, 32, 33, 34, 35, 36]

export const versionOperations: Operations = {
  DescribeClusterVersions: {
    method: 'GET',
    path: '/cluster-versions',
    run: ({ query }) => {
      const asked = query.getAll('clusterVersions')
      const all = minors.map((minor) => `1.${minor}`).filter((version) => asked.length === 0 || asked.includes(version))
      const { page, ...more } = paged(all.toReversed(), query)
      return { clusterVersions: page.map(versionInformation), ...more }
    },
  },
}

/** The node-port range's default and bounds are answered per version; every version that has the setting has the same. */
const versionInformation = (clusterVersion: string) => ({
  clusterVersion,
  clusterType: 'eks',
  defaultPlatformVersion: 'eks.1',
  defaultVersion: clusterVersion === '1.36',
  status: 'STANDARD_SUPPORT',
  versionStatus: 'STANDARD_SUPPORT',
  kubernetesPatchVersion: `${clusterVersion}.3`,
  controlPlaneComponentConfig: {
    kubeApiServerConfig: {
      serviceNodePortRange: {
        defaultValue: { minPort: 30000, maxPort: 32767 },
        constraints: { minPort: { min: 10260, max: 32767 }, maxPort: { min: 10260, max: 32767 } },
      },
    },
  },
})

export const defaultAddonVersion = (clusterVersion: string): string => `v${clusterVersion}.3-eksbuild.1`

/** Modes that a build of the kube-proxy add-on takes; undefined for other add-ons, whose configuration is not looked at. */
export function addonModes(addonName: string, addonVersion: string): string[] | undefined {
  if (addonName !== 'kube-proxy') return undefined
  const minor = Number(/^v1\.(\d+)\./.exec(addonVersion)?.[1] ?? Number.NaN)
  return minor >= 31 ? ['iptables', 'ipvs', 'nftables'] : ['iptables', 'ipvs']
}

/** As DescribeAddonConfiguration answers for kube-proxy, with the branches that only size and label its pods left open. */
export function configurationSchema(addonName: string, addonVersion: string) {
  const modes = addonModes(addonName, addonVersion)
  if (modes === undefined) throw eksError('InvalidParameterException', `Addon ${addonName} specified is not supported`)
  return {
    $ref: '#/definitions/KubeProxy',
    $schema: 'http://json-schema.org/draft-06/schema#',
    definitions: {
      Ipvs: {
        additionalProperties: false,
        properties: { scheduler: { type: 'string' } },
        title: 'Ipvs',
        type: 'object',
      },
      KubeProxy: {
        additionalProperties: false,
        properties: {
          ipvs: { $ref: '#/definitions/Ipvs' },
          mode: { enum: modes, type: 'string' },
          podAnnotations: { type: 'object' },
          podLabels: { type: 'object' },
          resources: { type: 'object' },
        },
        title: 'KubeProxy',
        type: 'object',
      },
    },
  }
}

const open = z.record(z.string(), z.unknown()).optional()

/** Refuses what the add-on's schema refuses; without modes (another add-on) everything passes. */
export function checkConfiguration(values: string | undefined, modes: string[] | undefined): void {
  if (values === undefined || values === '' || modes === undefined) return
  const schema = z.strictObject({
    mode: z.enum(modes).optional(),
    ipvs: z.strictObject({ scheduler: z.string().optional() }).optional(),
    podAnnotations: open,
    podLabels: open,
    resources: open,
  })
  parseBody(schema, asJson(values))
}

function asJson(values: string): unknown {
  try {
    return JSON.parse(values)
  } catch {
    throw eksError('InvalidParameterException', 'ConfigurationValue provided in request is not supported: not JSON')
  }
}
