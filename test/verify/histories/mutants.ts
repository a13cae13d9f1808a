import type { Mutant } from './mutant.ts'
import { workflowMutants } from './workflow-mutants.ts'

const rollout = 'shared/domain/rollout'

const domainMutants: readonly Mutant[] = [
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
    name: 'the first node is not alone',
    file: `${rollout}/places.ts`,
    from: 'touched <= 1',
    to: 'touched < 0',
  },
  {
    name: 'nodes of two zones are changed at one time',
    file: `${rollout}/zones.ts`,
    from: 'isTurn(node) && unsettled.every((other) => zone(other) === zone(node))',
    to: 'isTurn(node)',
  },
  {
    name: 'the permit is given back while a message may use it',
    file: 'shared/domain/policy/fleet-budget.ts',
    from: ' && askedAt(it) <= idleSince',
    to: '',
  },
  {
    name: 'the fleet budget has no limit',
    file: 'shared/domain/policy/fleet-budget.ts',
    from: 'if (!mine && live.length >= limit)',
    to: 'if (!mine && live.length >= limit + 9)',
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
    from: "return count === 0 ? 'yes'",
    to: "return count === 0 ? 'no'",
  },
  {
    name: 'a node that does not come back halts nothing',
    file: `${rollout}/places.ts`,
    from: 'it.changedAt !== undefined && (isLateAtLast(current, it) || isOverdue(current, it, settle))',
    to: "it.changedAt === ''",
  },
  {
    name: 'overrides stay behind',
    file: `${rollout}/next-step.ts`,
    from: 'return objects.some(isOurs) ? cleanUp(current, seen) : undefined',
    to: 'return undefined',
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
    to: '...[...changed.filter((it) => it.override?.annotations[rangeAnnotation] === target), ...flights].flatMap(',
  },
  {
    name: "a node's own range is overwritten",
    file: `${rollout}/places.ts`,
    from: '(override || setsOwnRange(pod))',
    to: 'override',
  },
  {
    name: 'the identity of a cluster is its name',
    file: 'shared/domain/incarnation.ts',
    from: 'one !== undefined && other !== undefined && one !== other',
    to: 'one !== one || other !== other',
  },
]

/** What the histories must be able to find. */
export const mutants: readonly Mutant[] = [...domainMutants, ...workflowMutants]
