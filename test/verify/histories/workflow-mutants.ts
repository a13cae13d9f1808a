import type { Mutant } from './mutant.ts'

const flows = 'shared/workflows'

export const workflowMutants: readonly Mutant[] = [
  {
    name: 'an override is written without its resourceVersion',
    file: `${flows}/rollout/range-writes.ts`,
    from: 'const draft = { name, resourceVersion, metadata: { annotations }',
    to: 'const draft = { name, resourceVersion: resourceVersion && "", metadata: { annotations }',
  },
  {
    name: 'the holder of the Lease is ignored',
    file: `${flows}/rollout/lease.ts`,
    from: 'if (!holder || holder === tools.holder || !renewedAt) return undefined',
    to: 'if (holder !== "" || !renewedAt) return undefined',
  },
  {
    name: 'the Lease is never released',
    file: `${flows}/rollout/lease.ts`,
    from: 'holder: giveUp ? null : tools.holder',
    to: 'holder: giveUp ? tools.holder : tools.holder',
  },
  {
    name: 'notices are recorded and no message sends them',
    file: `${flows}/fleet/tell.ts`,
    from: 'await tools.queues.sendTelling({ schemaVersion: 1, tell: key })',
    to: 'void key',
  },
  {
    name: 'a notice is sent without being reserved',
    file: `${flows}/fleet/tell-send.ts`,
    from: "if (state === 'told') return undefined",
    to: '',
  },
  {
    name: 'the permit is not given back',
    file: `${flows}/fleet/next.ts`,
    from: 'if (leaves) await giveBack(tools, cluster, { idleSince })',
    to: 'void leaves; void idleSince',
  },
  {
    name: 'the permit is not looked at',
    file: `${flows}/rollout/hold.ts`,
    from: 'if (permit && isSound(permit, now.getTime())) return undefined',
    to: 'if (isSound !== undefined) return undefined',
  },
  {
    name: 'the maintenance window is not looked at',
    file: `${flows}/rollout/hold.ts`,
    from: 'if (!window.open) {',
    to: 'if (!window) {',
  },
  {
    name: 'alarms are not looked at',
    file: `${flows}/rollout/hold.ts`,
    from: 'const trouble = await health?.trouble()',
    to: 'const trouble = health && undefined',
  },
  {
    name: 'the brake is read once',
    file: `${flows}/fleet/rollout-message.ts`,
    from: 'stoppedBy(switchOf(tools.policy, eks.state.tags, await tools.brake?.read()))',
    to: 'stoppedBy(switchOf(tools.policy, eks.state.tags, await ((tools as any).once ??= tools.brake?.read())))',
  },
  {
    name: 'the decision of the Lease is believed',
    file: `${flows}/rollout/step.ts`,
    from: "rollout.state === 'running' && decisionOf(rollout) !== tools.decided",
    to: "rollout.state === 'running' && decisionOf(rollout) === ''",
  },
  {
    name: 'writes are not recorded',
    file: `${flows}/rollout/range-writes.ts`,
    from: 'const written = await (options ? kube.patchFelix(where.api, draft, options) : kube.patchFelix(where.api, draft))\n  if (!options?.dryRun) await record?.(traces([written]))',
    to: 'await kube.patchFelix(where.api, draft, options)\n  void record',
  },
  {
    name: 'Retry-After is ignored',
    file: 'shared/errors.ts',
    from: 'Math.max(error.retryAfterSeconds || shortestSeconds, 2 ** Math.floor(outdated))',
    to: 'Math.max(shortestSeconds, 2 ** Math.floor(outdated))',
  },
]
