import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { startEmbedded } from '../../../lab/embedded/start.ts'
import { nodeSpecs } from '../../../lab/fixtures/nodes.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { watch } from '../../../lab/watch.ts'
import { joinKubeconfigs } from './kubeconfigs.ts'
import { screenOf, svgOf } from './screen.ts'

export interface Sample {
  name: string
  command: string
  columns: number
  file: string
}

/** Sizes that people have: the smallest, of which only the screen counts, and a wide one. */
const sizes = [
  { columns: 80, rows: 24 },
  { columns: 140, rows: 50 },
] as const

/** Felix of `prod` does not know of it; where no EKS is, the API server itself is asked. */
const nodePortRange = { min: 20_000, max: 32_767 }

/** Commands as people type them, on clusters in this process; each is what really came out of it on a terminal of that size. */
export const terminalSamples = async (to: string, workdir: string, say: (line: string) => void): Promise<Sample[]> => {
  if (!existsSync('/usr/bin/script')) {
    say('   no terminal is shown: the program "script" (util-linux) is not there')
    return []
  }
  mkdirSync(to, { recursive: true })
  const samples: Sample[] = []
  for (const { columns, rows } of sizes) {
    const [behind, well] = await Promise.all([cluster('prod', workdir, { nodePortRange }), cluster('quiet', workdir)])
    const kubeconfig = joinKubeconfigs(join(workdir, `kubeconfig-${columns}`), [behind, well])
    const pictured = (name: string, words: string, output: string): void => {
      const file = `${name}-${columns}.svg`
      const lines = screenOf(`$ calico-ipvs-sync ${words}\n${output}`, columns)
      writeFileSync(
        join(to, file),
        svgOf(lines, { columns, ...(columns === 80 && { rows }), title: `calico-ipvs-sync ${words}` }),
      )
      samples.push({ name, command: `calico-ipvs-sync ${words}`, columns, file })
    }
    /** With `underWay`: what stands there a moment before it is interrupted, under that name. */
    const show = async (name: string, words: string, seconds?: number, underWay?: string): Promise<void> => {
      say(`   ${columns} columns: ${name}`)
      const terminal = { columns, rows, kubeconfig, workdir, ...(seconds !== undefined && { seconds }) }
      const { before, output } = await typed(words, terminal)
      if (underWay !== undefined) pictured(underWay, words, before)
      pictured(name, words, output)
    }
    try {
      const on = '--context prod --probe'
      await show('check-good', 'check --context quiet --probe')
      await show('check-bad', `check ${on}`)
      await show('plan', `plan ${on}`)
      await show('sweep', 'sweep --context prod --context quiet --probe')
      await show('doctor', 'doctor --context prod')
      await show('doctor-refused', 'doctor --context nobody')
      const pace = '--canary-seconds 3 --settle-seconds 6 --node-deadline 12 --yes'
      await show('sync-interrupted', `sync ${on} ${pace}`, 14, 'sync-under-way')
      const failing = await failNext(behind)
      await show('sync-halted', `sync ${on} ${pace}`, 90)
      await failing.stop()
      await show('rollout-status', 'rollout status --context prod')
    } finally {
      await Promise.all([behind.stop(), well.stop()])
    }
  }
  return samples
}

const cluster = async (
  name: string,
  workdir: string,
  given: { nodePortRange?: typeof nodePortRange } = {},
): Promise<LabCluster> => {
  const it = await startEmbedded({ name, workdir, ...given })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(it, { nodes: 6, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  return it
}

const felixConfigurations = '/apis/crd.projectcalico.org/v1/felixconfigurations'

/** calico-node is not Ready any more on the next node that gets an override. */
const failNext = async (cluster: LabCluster): Promise<{ stop: () => Promise<void> }> => {
  const known = new Set<string>()
  const nodes = nodeSpecs(6).map(({ name }) => name)
  let [failed, told] = [false, Promise.resolve()]
  const began = Date.now()
  const changes = await watch(cluster, { path: felixConfigurations }, ({ type, object }) => {
    const node = nodes.find((it) => object.metadata.name === `node.${it}`)
    if (node === undefined || type === 'DELETED') return
    const isNew = !known.has(node) && Date.now() - began > 1_500
    known.add(node)
    if (!isNew || failed) return
    failed = true
    told = unready(cluster, node)
  })
  return {
    stop: async () => {
      changes.stop()
      await told
    },
  }
}

const unready = async (cluster: LabCluster, node: string): Promise<void> => {
  const query = `labelSelector=k8s-app%3Dcalico-node&fieldSelector=spec.nodeName%3D${node}`
  const { items } = (await cluster.request('GET', `/api/v1/pods?${query}`)) as {
    items: { metadata: { name: string; namespace: string } }[]
  }
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`
  const patch = { status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime }] } }
  for (const { metadata } of items)
    await cluster.request(
      'PATCH',
      `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`,
      patch,
      'application/strategic-merge-patch+json',
    )
}

interface Terminal {
  columns: number
  rows: number
  kubeconfig: string
  workdir: string
  /** After so long it is interrupted as by Ctrl-C. */
  seconds?: number
}

/** On a terminal of that size; `script` gives it one. `before`: what it had said a moment before it was interrupted. */
const typed = (
  words: string,
  { columns, rows, kubeconfig, workdir, seconds = 60 }: Terminal,
): Promise<{ before: string; output: string }> =>
  new Promise((resolve, reject) => {
    const line = `stty cols ${columns} rows ${rows}; exec timeout -s INT -k 20 ${seconds} '${process.execPath}' '${join(root, 'cli/bin.mjs')}' ${words}`
    const env = {
      PATH: process.env['PATH'],
      HOME: workdir,
      KUBECONFIG: kubeconfig,
      TERM: 'xterm-256color',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    const child = spawn('/usr/bin/script', ['-qec', line, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let [before, output] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const moment = setTimeout(() => (before = output), (seconds - 1) * 1000)
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(moment)
      resolve({ before, output })
    })
  })
