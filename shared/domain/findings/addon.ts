import type { ClusterCheck } from './checks.ts'
import { awsEks, inAccount, type ClusterAddress } from './remedy.ts'
import { quoted } from '../shell.ts'
import { safeJson } from '../plain.ts'
import { type AddonMode, addonMode, hasMore } from '../proxy-mode/addon.ts'
import type { Mode } from '../report.ts'
import { valueOf } from '../read.ts'

/**
 * EKS shows the add-on's mode, but kube-proxy reads the mode from the ConfigMap. They differ after the ConfigMap
 * was edited manually (the add-on's next update with OVERWRITE reverts that), and after an update with NONE or
 * PRESERVE, which does not change the ConfigMap.
 */
export const addonDiffers: ClusterCheck = ({ state, configurations, underWay }) => {
  if (underWay.length > 0) return []
  return configurations.flatMap(({ daemonSet, mode, failure, evidence }) => {
    const addon = addonMode(state, daemonSet)
    if (!addon || mode === undefined || failure || addon.mode === mode) return []
    const status = valueOf(valueOf(state.eks)?.kubeProxyAddon)?.status ?? ''
    const failing = status === 'ACTIVE' ? '' : ` (the add-on is ${status})`
    return {
      code: 'MODE_NOT_ROLLED',
      severity: 'warning',
      subject: 'eks:Addon/kube-proxy',
      message: `The kube-proxy add-on is configured for ${addon.mode}, but kube-proxy's configuration says ${mode}: it was edited manually, or an update of the add-on was not applied${failing}. The next update may restore ${addon.mode}.`,
      evidence: [addon.evidence, evidence],
      remedy: `To keep ${mode}${inAccount(state)}: ${tell(state, addon, { mode, conflicts: 'PRESERVE' })}\nTo have ${addon.mode}: the same with ${addon.mode} and OVERWRITE, then restart kube-proxy node by node.`,
    }
  })
}

/** Every update replaces all values: those that are left out are removed. */
function tell(
  place: ClusterAddress,
  { values }: AddonMode,
  { mode, conflicts }: { mode: Mode; conflicts: string },
): string {
  const given = hasMore(values) ? 'VALUES' : quoted(safeJson({ ...values, mode }))
  const what = hasMore(values)
    ? `   # VALUES: those of describe-addon with mode ${mode}; values that are left out are removed`
    : ''
  const update = awsEks(place, `update-addon --cluster-name ${quoted(place.cluster.name)}`)
  return `${update} --addon-name kube-proxy --configuration-values ${given} --resolve-conflicts ${conflicts}${what}`
}
