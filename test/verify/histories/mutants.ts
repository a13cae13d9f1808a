/** A fault that somebody could make in the product. The text must stand in the file exactly once. */
export interface Mutant {
  name: string
  file: string
  from: string
  to: string
}

const rollout = 'shared/domain/rollout'
const flows = 'shared/workflows'

/** What the histories must be able to find. */
export const mutants: readonly Mutant[] = [
  {
    name: 'settling is ignored',
    file: `${rollout}/places.ts`,
    from: 'return left > 0 ? left : undefined',
    to: 'return undefined',
  },
  {
    name: 'the budget of nodes is ignored',
    file: `${rollout}/places.ts`,
    from: ': { settle: pace.settleSeconds, limit: budget(pace.maxUnavailable, inScope) }',
    to: ': { settle: pace.settleSeconds, limit: inScope }',
  },
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
    name: 'the permit is given back while a message may use it',
    file: 'shared/domain/policy/fleet-budget.ts',
    from: ' && askedAt(it) <= idleSince',
    to: '',
  },
  {
    name: 'the permit is not looked at',
    file: `${flows}/rollout/hold.ts`,
    from: 'if (permit && isSound(permit, now.getTime())) return undefined',
    to: 'if (isSound !== undefined) return undefined',
  },
  {
    name: 'the fleet budget has no limit',
    file: 'shared/domain/policy/fleet-budget.ts',
    from: 'if (!mine && live.length >= limit)',
    to: 'if (!mine && live.length >= limit + 9)',
  },
  {
    name: 'the brake is read once',
    file: `${flows}/fleet/rollout-message.ts`,
    from: 'await tools.brake?.read()))',
    to: 'await ((globalThis as any).brakeOnce ??= tools.brake?.read())))',
  },
  {
    name: 'tags are ignored',
    file: 'shared/domain/policy/policy.ts',
    from: "const tag = tags['calico-ipvs-sync']?.trim().toLowerCase()",
    to: 'const tag = tags[""]',
  },
  {
    name: 'plan and rollout mean different nodes',
    file: `${rollout}/next-step.ts`,
    from: 'besideInZone(current.rollout, pendingPlaces(current.rollout, places), unsettled)',
    to: 'places.find(({ range }) => range !== target)',
  },
  {
    name: 'an override is ours by its mark alone',
    file: `${rollout}/marks.ts`,
    from: 'return mark?.seal !== undefined && mark.seal === sealOf(object, mark)',
    to: 'return mark !== undefined',
  },
  {
    name: 'what was written is not remembered',
    file: `${rollout}/memory.ts`,
    from: "if (words.has(word)) return 'yes'",
    to: "if (words.has(word)) return 'no'",
  },
  {
    name: 'a node that does not come back halts nothing',
    file: `${rollout}/places.ts`,
    from: 'return now - since > rollout.pace.nodeDeadlineSeconds * 1000',
    to: 'return now - since > rollout.pace.nodeDeadlineSeconds * 1e9',
  },
  {
    name: 'the decision of the Lease is believed',
    file: `${flows}/rollout/step.ts`,
    from: "rollout.state === 'running' && decisionOf(rollout) !== tools.decided",
    to: "rollout.state === 'running' && decisionOf(rollout) === ''",
  },
  {
    name: 'overrides stay behind',
    file: `${rollout}/next-step.ts`,
    from: "return left && { do: 'remove-override', object: left }",
    to: 'return left && undefined',
  },
  {
    name: 'writes are not recorded',
    file: `${flows}/rollout/range-writes.ts`,
    from: 'const written = await (options ? kube.patchFelix(where.api, draft, options) : kube.patchFelix(where.api, draft))\n  if (!options?.dryRun) await record?.(traces([written]))',
    to: 'await kube.patchFelix(where.api, draft, options)\n  void record',
  },
  {
    name: 'pods restart that need none',
    file: 'shared/domain/plan/intent.ts',
    from: 'needsRestart(it, policy) && !it.broken',
    to: '!it.broken',
  },
  {
    name: 'nodes with an earlier target are not waited for',
    file: `${rollout}/next-step.ts`,
    from: '...[...changed, ...flights].flatMap(',
    to: '...touched.flatMap(',
  },
  {
    name: "a node's own range is overwritten",
    file: `${rollout}/places.ts`,
    from: 'rangeAnnotation in object.annotations',
    to: 'false',
  },
]
