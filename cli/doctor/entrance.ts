import { awsEks, kubectlOn, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { groups, mapRoles } from '../../shared/domain/grant/groups.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { modeCommand } from '../grant/trouble.ts'
import type { Entered } from './aws.ts'
import type { Walk } from './hop.ts'

interface Refused {
  place: ClusterAddress
  lookOnly: boolean
  /** Absent: EKS was not asked, or did not answer. */
  entered?: Entered | undefined
}

/** The API server does not know the identity: what to paste depends on how EKS decides that, and on what it has. */
export const entranceFix = ({ place, lookOnly, entered }: Refused): string => {
  const kubectl = kubectlOn(place)
  if (place.cluster.region === undefined)
    return `${kubectl} auth whoami   # the credential in the kubeconfig is wrong or has expired: get a new one`
  const principalArn = entered?.principal ?? 'YOUR-ROLE-ARN'
  const wanted = lookOnly ? [groups.viewers] : [groups.viewers, groups.operators]
  if (entered?.mode === 'CONFIG_MAP')
    return [
      `${modeCommand(place)}   # one way: EKS never lets a cluster go back to CONFIG_MAP; then an access entry can be made`,
      `${kubectl} -n kube-system edit configmap aws-auth   # or so, by who is let in already: add to mapRoles`,
      mapRoles([{ principalArn, groups: wanted }]),
    ].join('\n')
  const there = valueOf(entered?.entry)
  const on = (command: string) =>
    `${awsEks(place, `${command} --cluster-name ${quoted(place.cluster.name)}`)} --principal-arn ${quoted(principalArn)}`
  const given = there && there.groups.length > 0 ? there.groups : wanted
  const create = `${on('create-access-entry')} --kubernetes-groups ${given.map(quoted).join(' ')}`
  if (!there) return create
  return [
    `${on('list-associated-access-policies')}   # they are deleted with the entry: associate them again afterwards`,
    `${on('delete-access-entry')}   # there is one: a role that was deleted and made again is another one to EKS`,
    create,
  ].join('\n')
}

const known: readonly string[] = Object.values(groups)

/** Nearly ours: nothing is granted to them. */
export const wrongGroups = (entered: Entered | undefined): string[] =>
  valueOf(entered?.entry)?.groups.filter((it) => it.startsWith('calico-ipvs-sync') && !known.includes(it)) ?? []

export const tryEntry = async ({ take }: Walk, { place, lookOnly, entered }: Refused): Promise<void> => {
  const [there, wrong] = [valueOf(entered?.entry), wrongGroups(entered)]
  if (!there || wrong.length === 0) return
  const kept = there.groups.filter((group) => !wrong.includes(group))
  const right = [...new Set([...kept, lookOnly ? groups.viewers : groups.operators])]
  const update = awsEks(place, `update-access-entry --cluster-name ${quoted(place.cluster.name)}`)
  const why = `it gives ${wrong.join(', ')}, to which nothing is granted: ours are ${known.join(' and ')}`
  await take(
    'access entry',
    () => Promise.reject(new Error(why)),
    `${update} --principal-arn ${quoted(there.principalArn)} --kubernetes-groups ${right.map(quoted).join(' ')}`,
  )
}
