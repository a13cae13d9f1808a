import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCluster } from '../../../lab/cluster.ts'
import { clearAnswers } from './forged-answers.ts'
import { type Judgement, judge } from './judge.ts'
import { snapshotOf } from './snapshot.ts'
import type { Stage } from './stage.ts'
import type { Variant } from './variant.ts'
import { felixPath, listed } from './world.ts'

export interface Job {
  variant: Variant
  kind: LabCluster['kind']
}

export interface Tried extends Judgement, Job {
  seconds: number
}

/** Most of a variant is waiting, so that many go on at one time; real control planes two at a time. */
export const tryAll = async (
  stage: Stage,
  jobs: Job[],
  { parallel, tell }: { parallel: number; tell: (it: Tried) => void },
): Promise<Tried[]> => {
  const tried: Tried[] = []
  const work = async (left: Job[]): Promise<void> => {
    for (let job = left.shift(); job; job = left.shift()) {
      const it = await tryOut(stage, job)
      tried.push(it)
      tell(it)
    }
  }
  const [real, embedded] = [jobs.filter(({ kind }) => kind === 'real'), jobs.filter(({ kind }) => kind === 'embedded')]
  await Promise.all([work(real), work(real), ...Array.from({ length: parallel }, () => work(embedded))])
  return tried.toSorted((a, b) => a.variant.nth - b.variant.nth)
}

/** What the deployment waits longer for than this, it waits for; the next look comes all the same. */
const patience = 8_000
const functionTime = 120_000

/** One variant from its cluster's beginning to its end: the forgery, a look, quiet, another look, quiet. */
const tryOut = async (stage: Stage, { variant, kind }: Job): Promise<Tried> => {
  const began = Date.now()
  const cluster = await stage.cluster(`v${variant.seed}-${variant.nth}`, kind, variant.guarded)
  const ended = (judgement: Judgement): Tried => ({ ...judgement, variant, kind, seconds: (Date.now() - began) / 1000 })
  try {
    return ended(await tryIn(stage, variant, cluster))
  } catch (error) {
    const withoutVerdict = [error instanceof Error ? error.message : String(error)]
    return ended({ harms: [], withoutVerdict, toldTwice: [], restarts: 0, wrote: false })
  } finally {
    await cluster.stop()
  }
}

const tryIn = async (stage: Stage, variant: Variant, cluster: LabCluster): Promise<Judgement> => {
  const { name } = cluster
  const { setting, forgeries } = variant
  stage.announce(cluster, variant)
  const made = setting === 'mid-rollout' ? await firstOverride(stage, cluster) : []
  for (const it of forgeries.filter(({ outside }) => !outside)) await it.put(cluster)
  const before = await snapshotOf(cluster)
  for (const it of forgeries.filter(({ outside }) => outside)) await it.put(cluster)
  for (const cause of ['UpdateClusterConfig', 'UpdateClusterVersion']) {
    const known = stage.ledger.of(name).looks.size
    look(stage, name, cause)
    await quiet(stage, name, known)
  }
  clearAnswers(cluster)
  const { looks, verdicts, notices, errors } = stage.ledger.of(name)
  const unseen = [...looks].filter(([, well]) => !well).map(([id]) => id)
  const deadLetters = stage.mail.dead(name)
  const after = await snapshotOf(cluster)
  const judgement = judge(variant, { before, after, made, notices, looks: looks.size, unseen, verdicts, deadLetters })
  const { withoutVerdict } = judgement
  return { ...judgement, withoutVerdict: withoutVerdict.length > 0 ? [...withoutVerdict, ...errors.slice(-1)] : [] }
}

const look = ({ cloud }: Stage, name: string, eventName: string): void => {
  const detail = { eventSource: 'eks.amazonaws.com', eventName, readOnly: false, requestParameters: { name } }
  cloud.putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
}

/** The stack's own rollout, as far as the first node; on a busy machine it may begin only after the forgery. */
const firstOverride = async (stage: Stage, cluster: LabCluster): Promise<string[]> => {
  const was = (await listed(cluster, felixPath)).map(({ metadata }) => metadata.name)
  look(stage, cluster.name, 'UpdateClusterConfig')
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const made = (await listed(cluster, felixPath))
      .map(({ metadata }) => metadata.name)
      .filter((it) => !was.includes(it))
    if (made.length > 0) return made
  }
  return []
}

/** The look has ended, and no message about the cluster is on its way; or one is that waits for long. */
const quiet = async ({ mail, ledger }: Stage, name: string, known: number): Promise<void> => {
  const { looks } = ledger.of(name)
  // A look may take as long as its function has time.
  for (const end = Date.now() + functionTime; looks.size === known && Date.now() < end; ) await sleep(50)
  let still = 0
  for (const end = Date.now() + patience; still < 4 && Date.now() < end; await sleep(100))
    still = mail.pending(name) ? 0 : still + 1
}
