import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as z from 'zod'
import type { LabCluster } from '../cluster.ts'
import { names } from './fleet.ts'
import type { Stage } from './run.ts'

/** One thing that must be true at the end, read from the clusters and from what people got, never from our own logs. */
export interface Expectation {
  what: string
  holds: boolean
  seen: string
}

const felixConfiguration = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ kubeNodePortRanges: z.array(z.union([z.string(), z.number()])).optional() }),
})
const felixList = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) })
const annotation = 'config.projectcalico.org/KubeNodePortRanges'

const run = promisify(execFile)

/** With kubectl where there is one, since that is what people would look with. */
const readBack = async (cluster: LabCluster, path: string): Promise<{ value: unknown; by: string }> => {
  try {
    const { stdout } = await run('kubectl', ['--kubeconfig', cluster.kubeconfig, 'get', '--raw', path])
    return { value: JSON.parse(stdout), by: 'kubectl' }
  } catch {
    return { value: await cluster.request('GET', path), by: 'the API, as there is no kubectl' }
  }
}

const felixPath = '/apis/crd.projectcalico.org/v1/felixconfigurations'

export const expectations = async (stage: Stage, range: string): Promise<Expectation[]> => [
  ...(await ofRange(stage, range)),
  ...ofRestarts(stage),
  ...ofPeople(stage),
  ...ofLab(stage),
]

const ofRange = async ({ fleet, pods }: Stage, range: string): Promise<Expectation[]> => {
  const { value, by } = await readBack(fleet.clusters.range, `${felixPath}/default`)
  const { metadata, spec } = felixConfiguration.parse(value)
  const all = felixList.parse((await readBack(fleet.clusters.range, felixPath)).value)
  const objects = all.items.map(({ metadata }) => metadata.name)
  const both = [metadata.annotations[annotation], spec.kubeNodePortRanges?.join(',')]
  return [
    {
      what: `${names.range}: annotation and spec of FelixConfiguration default have the new range, which its operator can read`,
      holds: both.every((it) => it === range),
      seen: `${both.join(' and ')}, read with ${by}`,
    },
    {
      what: `${names.range}: no override of ours is left`,
      holds: objects.join() === 'default',
      seen: objects.join(', '),
    },
    {
      what: `${names.range}: no calico-node pod was restarted`,
      holds: pods.range.seen().gone.length === 0,
      seen: String(pods.range.seen().gone.length),
    },
  ]
}

const ofRestarts = ({ pods }: Stage): Expectation[] => {
  const restarted = pods.mode.seen().gone.map(({ node }) => node)
  return [
    {
      what: `${names.mode}: calico-node was restarted once on each of the 3 nodes`,
      holds: new Set(restarted).size === 3 && restarted.length === 3,
      seen: restarted.join(', then '),
    },
    {
      what: `${names.mode}: never more than one node without calico-node`,
      holds: pods.mode.seen().mostAway === 1,
      seen: `${pods.mode.seen().mostAway} at most`,
    },
    {
      what: `${names.quiet}: no calico-node pod was restarted`,
      holds: pods.quiet.seen().gone.length === 0,
      seen: String(pods.quiet.seen().gone.length),
    },
  ]
}

const ofPeople = ({ cloud }: Stage): Expectation[] => {
  const about = (name: string) => cloud.deliveries.filter(({ subject }) => subject?.includes(`] ${name} (`))
  const count = (name: string, wanted: number, what: string): Expectation => {
    const subjects = about(name).map(({ subject }) => subject?.replace(/^.*?: /, ''))
    return { what: `${name}: ${what}`, holds: subjects.length === wanted, seen: subjects.join(' · ') || 'none' }
  }
  const inSlack = cloud.slack.received.map(({ body }) => body['text'])
  const both = cloud.deliveries.filter(({ subject }) => inSlack.includes(subject)).length
  const progress = inSlack.filter((text) => String(text).includes(': the first node is changed and well')).length
  return [
    count(names.range, 2, 'people were notified that it was out of step, and that it is in step again'),
    count(names.quiet, 0, 'people received no notice'),
    count(names.far, 1, 'people were notified once that it cannot be reached'),
    {
      what: 'Slack received every notice that was mailed, and the progress of the two rollouts',
      holds: both === cloud.deliveries.length && progress === 2 && inSlack.length === both + progress,
      seen: `${both} of ${cloud.deliveries.length}, and ${inSlack.length - both}`,
    },
  ]
}

const ofLab = ({ cloud }: Stage): Expectation[] => [
  {
    what: 'no message ended in a dead-letter queue and nothing failed in the lab',
    holds: cloud.faults.length === 0,
    seen: `${cloud.faults.length} faults`,
  },
]
