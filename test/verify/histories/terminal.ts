import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import { assess } from '../../../shared/domain/assess/assess.ts'
import { read } from '../../../shared/domain/read.ts'
import { defaultPolicy } from '../../../shared/domain/policy/policy.ts'
import { control, type Control } from '../../../shared/workflows/rollout/control.ts'
import { observe } from '../../../shared/workflows/observe/observe.ts'
import { takeStep } from '../../../shared/workflows/rollout/step.ts'
import { sync } from '../../../shared/workflows/rollout/sync.ts'
import { type Outcome, outdatedAfter, pauseFor } from '../../../shared/workflows/rollout/tools.ts'
import { partyOf, type Party } from './call.ts'
import type { Cluster, Watch } from './cluster.ts'
import type { Deployment } from './deployment.ts'
import type { Onlooker } from './invariants.ts'
import { kubeOf } from './kube.ts'
import type { Stage } from './stage.ts'

export interface Terminals {
  /** `pause`, `resume`, `abort`. */
  say: (cluster: Cluster, what: Control, force?: boolean) => void
  /** `rollout abort` of what is being aborted, until it is over: as where no deployment applies it. */
  finishAbort: (cluster: Cluster, seconds: number) => void
  /** `sync` in a process of its own, which is interrupted or killed after so many seconds; answers how it is interrupted now. */
  sync: (cluster: Cluster, end: { seconds: number; killed: boolean }) => () => void
}

interface Around {
  onlooker: Onlooker
  deployment: Deployment
}

/** People at a terminal, beside the functions. */
export const terminalsOf = (stage: Stage, watch: Watch, { onlooker, deployment }: Around): Terminals => {
  let count = 0
  const open = (seconds: number): Party =>
    partyOf(stage, { name: `terminal ${++count}`, kind: 'terminal', seconds, skew: 0 })
  const ended = (party: Party, work: Promise<unknown>): void =>
    void work.then(
      (result) => stage.note(party.name, `ends: ${JSON.stringify(result).slice(0, 200)}`),
      (error: unknown) => stage.note(party.name, `fails: ${String(error).slice(0, 200)}`),
    )
  const toolsOf = (party: Party, kube: KubeClient, until: () => number) => ({
    kube,
    holder: party.name,
    leaseSeconds: 60,
    now: party.now,
    tell: () => undefined,
    sleep: (wait: number) =>
      new Promise<void>((resolve) => {
        stage.schedule.after(Math.min(wait * 1000, Math.max(0, until() - stage.schedule.now())), () => {
          if (stage.schedule.now() < party.until && !party.dead) resolve()
        })
      }),
    interrupted: () => stage.schedule.now() >= until(),
  })
  return {
    say: (cluster, what, force = false) => {
      const party = open(120)
      const kube = kubeOf(stage, watch, { cluster, party })
      stage.note(party.name, `rollout ${what}${force ? ' --force' : ''} on ${cluster.ref.name}`)
      onlooker.spoke(cluster)
      const spoken = control(kube, what, { by: party.name, now: party.now, force })
      ended(
        party,
        spoken.then(({ changed, ...more }) => ({ changed, ...('why' in more ? more : {}) })),
      )
    },
    finishAbort: (cluster, seconds) => {
      const party = open(seconds + 600)
      const until = stage.schedule.now() + seconds * 1000
      const tools = toolsOf(party, kubeOf(stage, watch, { cluster, party }), () => until)
      stage.note(party.name, `rollout abort on ${cluster.ref.name}, which is being aborted`)
      onlooker.spoke(cluster)
      const finish = async (): Promise<Outcome> => {
        for (let outdated: number | undefined; ; ) {
          const outcome = await takeStep({ ...tools, policy: defaultPolicy }, outdated)
          outdated = outdatedAfter(outcome, tools.leaseSeconds)
          if (outcome.next === 'over' || outcome.next === 'look' || tools.interrupted()) return outcome
          if (outcome.next === 'wait') await tools.sleep(pauseFor(outcome, tools.leaseSeconds))
        }
      }
      ended(party, finish())
    },
    sync: (cluster, { seconds, killed }) => {
      const party = open(killed ? seconds : seconds + 600)
      const kube = kubeOf(stage, watch, { cluster, party })
      let until = stage.schedule.now() + seconds * 1000
      const policy = deployment.policy()
      stage.note(party.name, `sync on ${cluster.ref.name}`)
      onlooker.spoke(cluster)
      // Every other one reads all logs.
      const deep = count % 2 === 0
      const look = async () => {
        const eks = read(cluster.eks)
        const identity = { ...cluster.ref, arn: cluster.eks.arn }
        const state = await observe({ kube, identity, now: party.now(), eks, deep })
        return { state, assessment: assess(state, policy) }
      }
      const tools = { ...toolsOf(party, kube, () => until), look, waiting: () => undefined }
      ended(party, sync(tools, policy))
      return () => void (until = stage.schedule.now())
    },
  }
}
