import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { EKSClient, UpdateAddonCommand, UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import { root } from '../infra/bundle.ts'
import type { Report, Sweep } from '../shared/domain/report.ts'
import { html } from '../shared/report/html/report.ts'
import { findBinary } from './binaries.ts'
import { expectations, type Expectation } from './demo/expectations.ts'
import { type Kind, names } from './demo/fleet.ts'
import { place } from './demo/deployment.ts'
import { writeExample } from './demo/example.ts'
import { writeNotices } from './demo/notices.ts'
import { setTheStage, type Stage } from './demo/run.ts'
import { rolloutRestart } from './fixtures/changes.ts'
import { untilSettled } from './fixtures/settle.ts'

const write = (line: string): void => void process.stdout.write(`${line}\n`)
const out = join(root, 'out/demo')
const newRange = { minPort: 20_000, maxPort: 32_767 }

/** The main job on a fleet of four, told as it happens. Resolves to whether everything expected of it was so. */
const demo = async (kind: Kind): Promise<boolean> => {
  mkdirSync(out, { recursive: true })
  const command = await writeExample(join(out, 'example.html'))
  write('To look at while it starts: out/demo/example.html, the report of a captured cluster that is out of step.')
  write(`In this terminal: ${command}\n`)
  const stage = await setTheStage(kind, write)
  const { workdir } = stage
  let good = false
  try {
    await firstLook(stage)
    const during = await rangeChanges(stage)
    await modeChanges(stage)
    good = await theEnd(stage, during)
  } finally {
    await stage.stop()
    if (good) rmSync(workdir, { recursive: true, force: true })
    else write(`   Logs are in ${workdir}.`)
  }
  return good
}

const firstLook = async ({ cloud, story }: Stage): Promise<void> => {
  story.act(
    'The schedule starts a sweep of the fleet',
    `${names.quiet}, ${names.range} and ${names.mode} are in step: silence.`,
    `${names.far} cannot be reached.`,
  )
  cloud.fire()
  await cloud.idle()
}

const rangeChanges = async (stage: Stage): Promise<Expectation> => {
  const { cloud, story } = stage
  const range = `${newRange.minPort}-${newRange.maxPort}`
  story.act(
    `Somebody changes the node-port range of ${names.range} to ${range}`,
    'Calico 3.28, kube-proxy in IPVS mode, tag calico-ipvs-sync=sync.',
  )
  const change = { name: names.range, kubeApiServerConfig: { serviceNodePortRange: newRange } }
  await eks(cloud).send(new UpdateClusterConfigCommand(change))
  const working = cloud.idle()
  const during = await whileOutOfStep(stage, working)
  await working
  writeFileSync(join(out, 'report-during.html'), html(during))
  write('   out/demo/report-during.html shows the fleet as it was then')
  const seen = during.clusters.find(({ cluster }) => cluster.name === names.range)?.verdict ?? 'missing'
  const what = `report-during.html shows ${names.range} as it was: out-of-step`
  return { what, holds: seen === 'out-of-step', seen }
}

/** As somebody would see the fleet who looks while the functions work on it: the first sweep in which the cluster is out of step, or the last. */
const whileOutOfStep = async (stage: Stage, working: Promise<unknown>): Promise<Sweep> => {
  const state = { isOver: false }
  const over = working.finally(() => (state.isOver = true))
  const isKnown = (): boolean => stage.story.lines.some((line) => line.includes(`${names.range} is out-of-step`))
  while (!state.isOver && !isKnown()) await Promise.race([over, setTimeout(50)])
  for (;;) {
    const sweep = JSON.parse(await commandLine(stage, 'json')) as Sweep
    const isSeen = sweep.clusters.some((it) => it.cluster.name === names.range && it.verdict === 'out-of-step')
    if (isSeen || state.isOver) return sweep
  }
}

const modeChanges = async ({ cloud, fleet, story }: Stage): Promise<void> => {
  story.act(
    `Somebody switches kube-proxy of ${names.mode} to IPVS`,
    'Calico 3.21 notices the mode only when calico-node starts. EKS restarts no pod.',
  )
  const change = { clusterName: names.mode, addonName: 'kube-proxy', configurationValues: '{"mode":"ipvs"}' }
  await eks(cloud).send(new UpdateAddonCommand(change))
  await cloud.idle()
  const kubeProxy = { namespace: 'kube-system', name: 'kube-proxy' }
  story.act(
    'Somebody restarts kube-proxy, as the notice said',
    'kubectl -n kube-system rollout restart daemonset kube-proxy',
  )
  await rolloutRestart(fleet.clusters.mode, kubeProxy)
  await untilSettled(fleet.clusters.mode, kubeProxy)
  cloud.fire()
  await cloud.idle()
}

const theEnd = async (stage: Stage, during: Expectation): Promise<boolean> => {
  stage.story.act('How it ended')
  const sweep = JSON.parse(await commandLine(stage, 'json')) as Sweep
  writeFileSync(join(out, 'result.json'), `${JSON.stringify(sweep, null, 2)}\n`)
  writeFileSync(join(out, 'report.html'), await commandLine(stage, 'html'))
  const ofClusters = await expectations(stage, `${newRange.minPort}:${newRange.maxPort}`)
  const checks = [...ofClusters, during, ...ofSweep(sweep)]
  for (const { what, holds, seen } of checks) write(`   ${holds ? '✓' : '✗'} ${what} (${seen})`)
  writeFileSync(join(out, 'story.txt'), `${stage.story.lines.join('\n')}\n`)
  const { deliveries, slack } = stage.cloud
  writeNotices(join(out, 'notices'), { deliveries, slack: slack.received })
  write('\n   out/demo/result.json    the fleet as `calico-ipvs-sync sweep --output json` sees it')
  write('   out/demo/report.html    the same as a page; report-during.html while a cluster was out of step')
  write('   out/demo/notices/       the notices: mails, and the messages in Slack')
  return checks.every(({ holds }) => holds)
}

const ofSweep = ({ clusters }: Sweep): Expectation[] => {
  const verdict = (name: string) => clusters.find(({ cluster }) => cluster.name === name)?.verdict
  const expected: [string, Report['verdict']][] = [
    [names.range, 'in-step'],
    [names.mode, 'in-step'],
    [names.quiet, 'in-step'],
    [names.far, 'unknown'],
  ]
  return expected.map(([name, wanted]) => ({
    what: `${name} is a row of the sweep: ${wanted}`,
    holds: verdict(name) === wanted,
    seen: verdict(name) ?? 'missing',
  }))
}

const eks = ({ environment, credentials }: Stage['cloud']): EKSClient =>
  new EKSClient({ ...place, credentials, endpoint: environment['AWS_ENDPOINT_URL_EKS'] ?? '' })

/** What an operator would type. Exit status 1 and 2 are answers too: a cluster that cannot be reached is one. */
const commandLine = ({ cloud }: Stage, format: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const args = [join(root, 'cli/bin.mjs'), 'sweep', '--region', place.region, '--output', format, '--quiet']
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...cloud.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (piece: Buffer) => (text += piece.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) =>
      code !== null && code <= 2 ? resolve(text) : reject(new Error(`sweep ended with ${code}`)),
    )
  })

const asked = process.argv.includes('--embedded') ? 'embedded' : process.argv.includes('--real') ? 'real' : undefined
const kind: Kind = asked ?? (findBinary('kubelab') ? 'real' : 'embedded')
if (kind === 'embedded' && !asked) {
  write('The real control plane is not built yet, so embedded API servers stand in for it.')
  write('`npm run lab build` builds it once (some minutes, needs Go); after that this demo runs on it.\n')
}
const good = await demo(kind)
write(good ? '\nAll checks passed.' : '\nSome checks failed; see the lines marked ✗.')
process.exit(good ? 0 : 1)
