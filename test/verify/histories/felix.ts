import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { owns, rangeKey } from '../../domain/states.ts'
import type { Cluster, Watch, Writer } from './cluster.ts'
import { rangeIn, rangeOn } from './ranges.ts'
import { restartFelix } from './machines.ts'
import type { Stage } from './stage.ts'

interface Change {
  cluster: Cluster
  writer: Writer
  name: string
  /** `undefined`: deleted. */
  after: FelixObject | undefined
  isRead?: boolean
}

/** The API server sets some fields in what it stores. */
export const filled = ({ nature }: Cluster, object: FelixObject): FelixObject => ({
  ...object,
  spec: { ...nature.fills, ...object.spec },
})

/** Every write of a FelixConfiguration goes through here, as every Felix would see it. */
export const writeFelix = (
  stage: Stage,
  watch: Watch,
  { cluster, writer, name, after: given, isRead = true }: Change,
): FelixObject | undefined => {
  const before = cluster.felix.get(name)
  const machines = [...cluster.machines.values()]
  const ranges = new Map(machines.map((it) => [it, rangeOn(cluster, it.name)]))
  const manager = writer.kind === 'others' ? writer.name.replace(' ', '-') : 'calico-ipvs-sync'
  const fields = (given?.managedFields ?? []).filter((it) => it.manager !== manager)
  cluster.versions += 1
  const after = given && {
    ...filled(cluster, given),
    resourceVersion: `${cluster.versions}`,
    managedFields: [...fields, owns(manager, ['f:metadata', 'f:annotations', `f:${rangeKey}`], stage.iso())],
  }
  if (after) cluster.felix.set(name, after)
  else cluster.felix.delete(name)
  const touched = machines.flatMap((machine) => {
    const [from, to] = [ranges.get(machine), rangeOn(cluster, machine.name)]
    const isRunning = machine.calico && !machine.calico.deletedAt
    return from === to || !isRunning ? [] : [{ machine, from, to, wasWell: !machine.down }]
  })
  stage.note(
    writer.name,
    `${cluster.ref.name}: ${name} ${rangeIn(before) ?? '-'} -> ${after ? (rangeIn(after) ?? '-') : 'deleted'}, Felix restarts on ${touched.map(({ machine }) => machine.name).join(' ') || 'no node'}`,
  )
  for (const { machine } of touched) restartFelix(stage, cluster, { machine, writer })
  watch.wrote({ cluster, writer, name, before, after, isRead, touched })
  return after
}
