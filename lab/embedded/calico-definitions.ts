import type { KubeObject } from './object.ts'
import type { Schema } from './schema.ts'

/**
 * CustomResourceDefinitions of Calico and its operator reduced to what decides how an object is stored: names and types
 * of fields, what 3.32 defaults, what Kubernetes 1.36 refuses. For machines that do not have the real ones; whoever
 * creates the real ones replaces these.
 */
export const standInLabel = 'calico-ipvs-sync.lab/stand-in'

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

const fieldsOfType = (schema: Schema, names: string): Record<string, Schema> =>
  Object.fromEntries(words(names).map((name) => [name, schema]))

const duration: Schema = { type: 'string', pattern: '^([0-9]+(\\\\.[0-9]+)?(ms|s|m|h))*$' }
const choice = (pattern: string): Schema => ({ type: 'string', pattern })
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const recordOf = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties })
const text: Schema = { type: 'string' }
const integer: Schema = { type: 'integer' }
const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const portOrRange: Schema = { 'x-kubernetes-int-or-string': true, pattern: '^.*' }
const tableRange = recordOf({ min: integer, max: integer })
const hostPorts = listOf(recordOf({ net: text, port: integer, protocol: text }))

const felixSpec: Record<string, Schema> = {
  ...fieldsOfType(
    { type: 'boolean' },
    `allowIPIPPacketsFromWorkloads allowVXLANPacketsFromWorkloads bpfConnectTimeLoadBalancingEnabled bpfDisableUnprivileged
    bpfEnabled bpfHostConntrackBypass bpfKubeProxyEndpointSlicesEnabled bpfKubeProxyIptablesCleanupEnabled bpfPolicyDebugEnabled
    debugDisableLogDropping disableConntrackInvalidCheck endpointReportingEnabled genericXDPEnabled healthEnabled ipipEnabled
    ipv6Support prometheusGoMetricsEnabled prometheusMetricsEnabled prometheusProcessMetricsEnabled
    prometheusWireGuardMetricsEnabled removeExternalRoutes routeSyncDisabled sidecarAccelerationEnabled usageReportingEnabled
    useInternalDataplaneDriver vxlanEnabled wireguardEnabled wireguardEnabledV6 wireguardHostEncryptionEnabled
    wireguardThreadingEnabled xdpEnabled`,
  ),
  ...fieldsOfType(
    text,
    `awsSrcDstCheck bpfAttachType bpfCTLBLogFilter bpfConnectTimeLoadBalancing bpfDataIfacePattern bpfDisableGROForIfaces
    bpfEnforceRPF bpfExternalServiceMode bpfHostNetworkedNATWithoutCTLB bpfL3IfacePattern bpfLogLevel chainInsertMode
    dataplaneDriver dataplaneWatchdogTimeout debugHost debugMemoryProfilePath defaultEndpointToHostAction
    deviceRouteSourceAddress deviceRouteSourceAddressIPv6 endpointStatusPathPrefix featureDetectOverride featureGates
    floatingIPs healthHost interfaceExclude interfacePrefix iptablesBackend iptablesFilterAllowAction iptablesFilterDenyAction
    iptablesLockFilePath iptablesMangleAllowAction iptablesNATOutgoingInterfaceFilter logDebugFilenameRegex logFilePath
    logPrefix metadataAddr mtuIfacePattern natOutgoingAddress natOutgoingExclusions nftablesFilterAllowAction
    nftablesFilterDenyAction nftablesMangleAllowAction openstackRegion policySyncPathPrefix prometheusMetricsHost
    programClusterRoutes routeSource serviceLoopPrevention windowsManageFirewallRules wireguardInterfaceName
    wireguardInterfaceNameV6 workloadSourceSpoofing`,
  ),
  ...fieldsOfType(
    duration,
    `bpfKubeProxyMinSyncPeriod debugSimulateCalcGraphHangAfter debugSimulateDataplaneApplyDelay
    debugSimulateDataplaneHangAfter endpointReportingDelay interfaceRefreshInterval ipsetsRefreshInterval
    iptablesLockProbeInterval iptablesLockTimeout iptablesPostWriteCheckInterval iptablesRefreshInterval netlinkTimeout
    nftablesRefreshInterval reportingInterval reportingTTL routeRefreshInterval usageReportingInitialDelay
    usageReportingInterval wireguardKeepAlive xdpRefreshInterval`,
  ),
  ...fieldsOfType(
    integer,
    `bpfExtToServiceConnmark bpfMapSizeConntrack bpfMapSizeIPSets bpfMapSizeIfState bpfMapSizeNATAffinity
    bpfMapSizeNATBackend bpfMapSizeNATFrontend bpfMapSizeRoute debugPort deviceRouteProtocol healthPort ipipMTU maxIpsetSize
    metadataPort prometheusMetricsPort vxlanMTU vxlanMTUV6 vxlanPort vxlanVNI wireguardListeningPort wireguardListeningPortV6
    wireguardMTU wireguardMTUV6 wireguardRoutingRulePriority`,
  ),
  ...fieldsOfType(
    choice('^(?i)(Debug|Info|Warning|Error|Fatal)?$'),
    'logSeverityFile logSeverityScreen logSeveritySys',
  ),
  ...fieldsOfType({ type: 'integer', format: 'int32' }, 'iptablesMarkMask nftablesMarkMask'),
  ...fieldsOfType(
    listOf(text),
    'bpfDSROptoutCIDRs bpfExcludeCIDRsFromNAT bpfForceTrackPacketsFromIfaces externalNodesList',
  ),
  ...fieldsOfType(hostPorts, 'failsafeInboundHostPorts failsafeOutboundHostPorts'),
  ...fieldsOfType(portOrRange, 'natPortRange bpfPSNATPorts'),
  healthTimeoutOverrides: listOf(recordOf({ name: text, timeout: text })),
  bpfLogFilters: { type: 'object', additionalProperties: text },
  routeTableRange: tableRange,
  routeTableRanges: listOf(tableRange),
  kubeNodePortRanges: listOf(portOrRange),
  nodeSelector: text,
  nftablesMode: { type: 'string', enum: ['Disabled', 'Enabled', 'Auto'], default: 'Auto' },
}

const calicoFields = (spec: Schema): Schema =>
  recordOf({ apiVersion: text, kind: text, metadata: { type: 'object' }, spec })

/** Felix's parameters, the cluster's Calico version, and the operator's Installation. */
export const standInDefinitions: readonly KubeObject[] = [
  definition('crd.projectcalico.org', 'FelixConfiguration', calicoFields(recordOf(felixSpec))),
  definition(
    'crd.projectcalico.org',
    'ClusterInformation',
    calicoFields(
      recordOf({
        ...fieldsOfType(text, 'calicoVersion clusterGUID clusterType variant'),
        datastoreReady: { type: 'boolean' },
      }),
    ),
  ),
  definition('operator.tigera.io', 'Installation', {
    ...recordOf({ apiVersion: text, kind: text, metadata: { type: 'object' }, spec: open, status: open }),
  }),
]

function definition(group: string, kind: string, schema: Schema): KubeObject {
  const singular = kind.toLowerCase()
  const plural = `${singular}s`
  const withStatus = schema.properties?.['status'] !== undefined
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    ...(withStatus ? { subresources: { status: {} } } : {}),
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { [standInLabel]: 'true' } },
    spec: { group, names: { kind, listKind: `${kind}List`, plural, singular }, scope: 'Cluster', versions: [version] },
  }
}
