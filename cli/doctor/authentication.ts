import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { User } from './access.ts'
import { HopFailure } from './hop.ts'
import { requestLimits } from '../target/request-limits.ts'

const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }

interface Pastes {
  kubectl: string
  /** For an identity that the server does not know. */
  refused: string
}

/** The user that the API server sees: of an impersonation the one who is acted as. */
export const whoAmI = async (connection: KubeConnection, pastes: Pastes): Promise<{ detail: string; value: User }> => {
  const [{ kubeHttp }, { KubeError }] = await Promise.all([
    import('../../shared/clients/kube/http.ts'),
    import('../../shared/errors.ts'),
  ])
  const http = kubeHttp(connection, requestLimits)
  const meant = connection.impersonation?.['Impersonate-User']
  const { kubectl } = pastes
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const { status } = (await http.json({ method: 'POST', path, body: review })) as {
      status?: { userInfo?: { username?: string; groups?: string[] } }
    }
    const { username = '', groups = [] } = status?.userInfo ?? {}
    if (username === 'system:anonymous')
      throw new HopFailure(
        'The API server takes us for nobody (system:anonymous): no credential was sent.',
        `${kubectl} auth whoami`,
      )
    const how = meant === undefined ? '' : ', as whom the kubeconfig acts (as)'
    return { detail: `as ${username} (${groups.join(', ')})${how}`, value: { name: username, groups } }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    // Before Kubernetes 1.28 there is no SelfSubjectReview; a caller that is refused only this was authenticated.
    if (error.kind === 'not-found')
      return { detail: 'accepted', value: { name: meant === undefined ? 'YOUR-USER' : String(meant), groups: [] } }
    throw new HopFailure(
      error.message,
      fixOf(error, { ...pastes, meant: meant === undefined ? undefined : String(meant) }),
    )
  } finally {
    http.close()
  }
}

/** Without an answer nobody was refused: the credential plugin has its own words for what it lacks. */
const fixOf = (
  { kind, status, message }: { kind: string; status: number; message: string },
  { kubectl, refused, meant }: Pastes & { meant: string | undefined },
): string => {
  if (kind === 'denied' && meant !== undefined && /impersonate/.test(message)) return impersonationFix(meant)
  if (status > 0 || kind !== 'unauthenticated') return refused
  return `${kubectl} auth whoami   # has the same credential plugin or file: what it needs is to be renewed`
}

const impersonationFix = (meant: string): string =>
  `kubectl create clusterrole act-as --verb=impersonate --resource=users --resource-name=${quoted(meant)}   # by an administrator, and bound to you; groups likewise. Or take "as" out of the kubeconfig`
