import { parse } from 'yaml'
import type { KubeHttp } from '../../shared/clients/kube/http.ts'
import { objectOf, objectsOf, textOf, textsOf } from '../../shared/clients/foreign.ts'
import { failureFrom } from '../../shared/clients/kube/refusal.ts'
import { kubectlOn, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { groups, withoutPath } from '../../shared/domain/grant/groups.ts'
import { KubeError } from '../../shared/errors.ts'
import type { Entered } from './aws.ts'
import type { Hop } from './hop.ts'

const hop = 'aws-auth'
const longest = 2 ** 20

interface Mapping {
  role: string
  groups: string[]
}

/** Who is let in by the ConfigMap, as far as it concerns us: beside access entries it is easily forgotten. */
export const tryAwsAuth = async (http: KubeHttp, place: ClusterAddress, entered: Entered): Promise<Hop> => {
  try {
    const path = '/api/v1/namespaces/kube-system/configmaps/aws-auth'
    const mappings = mappingsIn(textIn(await http.json({ method: 'GET', path })))
    return mappings ? judged(mappings, place, entered) : notYaml(place)
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'not-found')
      return { hop, state: 'left out', detail: 'there is no ConfigMap aws-auth' }
    const { message } = failureFrom(error, hop)
    return { hop, state: 'left out', detail: `the ConfigMap aws-auth may not be read, nor need it be: ${message}` }
  }
}

const textIn = (answer: unknown): string => {
  const text = objectOf(objectOf(answer)['data'])['mapRoles']
  return typeof text === 'string' && text.length <= longest ? text : ''
}

const mappingsIn = (text: string): Mapping[] | undefined => {
  try {
    const all = objectsOf(parse(text, { maxAliasCount: 0 }))
    return all.map((it) => ({ role: textOf(it['rolearn']) ?? '', groups: textsOf(it['groups']) }))
  } catch {
    return undefined
  }
}

const notYaml = (place: ClusterAddress): Hop => ({
  hop,
  state: 'failed',
  detail: 'its mapRoles is no YAML: nobody whom it maps is let in',
  fix: `${kubectlOn(place)} -n kube-system edit configmap aws-auth`,
})

const ours: readonly string[] = Object.values(groups)

const judged = (all: readonly Mapping[], place: ClusterAddress, entered: Entered): Hop => {
  const { principal } = entered
  const meant = all.filter((it) => it.role === principal || it.groups.some((group) => ours.includes(group)))
  const withPath = meant.find(({ role }) => role !== withoutPath(role))
  if (withPath)
    return {
      hop,
      state: 'failed',
      detail: `it maps ${withPath.role}, with a path, which no session of the role has: nobody is let in by that`,
      fix: `${kubectlOn(place)} -n kube-system edit configmap aws-auth   # rolearn: ${withoutPath(withPath.role)}`,
    }
  if (meant.length === 0) return { hop, state: 'left out', detail: 'it maps neither this identity nor our groups' }
  const roles = meant.map((it) => `${it.role} to ${it.groups.join(', ') || 'no group'}`).join('; ')
  return { hop, state: 'ok', detail: `it maps ${roles}${whatCounts(meant, entered)}` }
}

const whatCounts = (meant: readonly Mapping[], { mode, principal, entry }: Entered): string => {
  if (mode === 'API') return ': which does nothing, since the authentication mode is API'
  const isTwice = entry && 'value' in entry && entry.value && meant.some(({ role }) => role === withoutPath(principal))
  return isTwice ? `; ${principal} has an access entry as well, and EKS goes by that` : ''
}
