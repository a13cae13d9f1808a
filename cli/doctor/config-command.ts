import type { ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'

/** A cluster and its name in the kubeconfig. */
export interface InKubeconfig {
  place: ClusterAddress
  named?: string | undefined
}

/** `kubectl config`, on the file that is in use. */
export const configCommand = ({ reachedBy = {} }: ClusterAddress, words: string): string => {
  const { kubeconfig } = reachedBy
  return `kubectl config ${words}${kubeconfig === undefined ? '' : ` --kubeconfig ${quoted(kubeconfig)}`}`
}
