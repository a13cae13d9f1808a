import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cloud, startCloud } from '../aws/cloud.ts'
import type { ClusterSeed } from '../aws/eks-model.ts'
import type { LabCluster } from '../cluster.ts'
import { startControlPlane } from '../control-plane/start.ts'
import { setKubeProxyMode } from '../fixtures/changes.ts'
import { deploy, place, webhookSecret } from './deployment.ts'
import { type DemoFleet, type Kind, names, startFleet } from './fleet.ts'
import { tellStory, type Story } from './story.ts'
import { type PodWatch, watchPods } from '../pod-watch.ts'

const operator = `arn:aws:iam::${place.account}:user/operator`

/** The whole of it running: the stack as synthesized, the clusters, and what they show of themselves. */
export interface Stage {
  cloud: Cloud
  fleet: DemoFleet
  story: Story
  pods: Record<'range' | 'mode' | 'quiet', PodWatch>
  /** Logs of everything; it stays after `stop`. */
  workdir: string
  stop: () => Promise<void>
}

interface Options {
  /** Shortens what AWS waits by itself before it tries a failed message again. */
  timeScale?: number
  /** The server of the cluster whose mode changes, where nobody looks at that one. */
  bystander?: Kind
  /** Answers a real control plane with nothing in it. */
  startReal?: typeof startControlPlane
  /** Answers the folder of the synthesized stack. */
  synthesized?: () => Promise<string>
}

/** Synthesizes the stack, starts the clusters and the lab's AWS, and lets the one into the other. */
export const setTheStage = async (
  kind: Kind,
  write: (line: string) => void,
  { timeScale = 1, bystander = kind, startReal = startControlPlane, synthesized = deploy }: Options = {},
): Promise<Stage> => {
  const story = tellStory(write)
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-demo-'))
  const entry: { cloud?: Cloud } = {}
  story.say(
    'lab',
    kind === 'real' ? 'three real control planes start, with simulated nodes' : 'three embedded API servers start',
  )
  const kindOf = (name: string): Kind => (name === names.mode ? bystander : kind)
  const authenticate = async (name: string, token: string) => entry.cloud?.authenticate(name)(token)
  const starting = startFleet(kindOf, workdir, authenticate, startReal)
  story.say('lab', 'meanwhile the functions are bundled and the stack is synthesized')
  const assembly = await synthesized()
  const fleet = await starting
  const cloud = await startCloud({
    ...place,
    assemblyDir: assembly,
    timeScale,
    eks: {
      clusters: seeds(fleet),
      updateMilliseconds: 1500,
      onNodePortRange: ({ name }, range) => clusterNamed(fleet, name).setNodePortRange(range),
      onAddonUpdated: ({ name }, { configurationValues }) =>
        followAddon(clusterNamed(fleet, name), configurationValues),
    },
    onMoment: story.moment,
  })
  entry.cloud = cloud
  letIn(cloud)
  const { range, mode, quiet } = fleet.clusters
  const calicoNode = { path: '/api/v1/namespaces/calico-system/pods', query: 'labelSelector=k8s-app%3Dcalico-node' }
  const watched = (it: LabCluster) => watchPods(it, calicoNode)
  const pods = { range: await watched(range), mode: await watched(mode), quiet: await watched(quiet) }
  story.say('lab', 'the stack is deployed; everything from here on went through its own rules, queues and functions')
  const stop = async () => {
    for (const watch of Object.values(pods)) watch.stop()
    await cloud.stop()
    await fleet.stop()
  }
  return { cloud, fleet, story, pods, workdir, stop }
}

const seeds = ({ clusters }: DemoFleet): ClusterSeed[] => {
  const seed = ({ name, server, caData }: LabCluster, mode: string, tags: Record<string, string>): ClusterSeed => ({
    name,
    endpoint: server,
    caData,
    version: '1.35',
    tags,
    addons: [{ name: 'kube-proxy', version: 'v1.35.2-eksbuild.4', configurationValues: JSON.stringify({ mode }) }],
  })
  const sync = { 'calico-ipvs-sync': 'sync' }
  const { range, mode, quiet } = clusters
  // Port 9 is discard: nothing listens there.
  const far = { ...seed(quiet, 'ipvs', {}), name: names.far, endpoint: 'https://127.0.0.1:9' }
  return [seed(range, 'ipvs', sync), seed(mode, 'iptables', sync), seed(quiet, 'ipvs', {}), far]
}

/** What somebody did by hand: the webhook's address into its secret, and the operator's own way into the clusters. */
const letIn = ({ eks, secrets, slack }: Cloud): void => {
  secrets.put(webhookSecret, slack.webhookUrl)
  for (const name of Object.values(names)) eks.grant(name, operator, ['calico-ipvs-sync-viewers'])
}

const clusterNamed = ({ clusters }: DemoFleet, name: string): LabCluster => {
  const found = Object.values(clusters).find((cluster) => cluster.name === name)
  if (!found) throw new Error(`${name} is not one of the demo's clusters`)
  return found
}

/** EKS writes the mode into the ConfigMap and restarts no pod. */
const followAddon = async (cluster: LabCluster, values: string | undefined): Promise<void> => {
  const mode = (JSON.parse(values ?? '{}') as { mode?: 'ipvs' | 'iptables' }).mode
  if (mode) await setKubeProxyMode(cluster, mode)
}
