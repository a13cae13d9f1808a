import * as z from 'zod'
import { findingCodes } from '../domain/report.ts'
import type { Report, Sweep } from '../domain/report.ts'

/**
 * The published document as a schema: for plan files at the door, and the source of `docs/report.schema.json`.
 * It says the same as the types of `shared/domain/report.ts`; the last lines of this file make that a matter of compiling.
 */
const verdict = z.enum(['in-step', 'out-of-step', 'changing', 'not-applicable', 'unknown'])
const mode = z.enum(['iptables', 'ipvs', 'nftables'])
const code = z.enum(findingCodes)
const strategy = z.enum(['staged', 'canary', 'direct'])
const time = z.iso.datetime({ offset: true })
const port = z.int().min(0).max(65535)
const ranges = z.array(z.string().regex(/^\d{1,5}(:\d{1,5})?$/))
const text = z.string()
const count = z.int().min(0)
// A merge patch has no schema of its own; TypeScript calls the same thing `object`.
const patch: z.ZodType<object> = z.record(z.string(), z.unknown())

const cluster = z.strictObject({
  name: text,
  arn: text.exactOptional(),
  account: text.exactOptional(),
  region: text.exactOptional(),
  context: text.exactOptional(),
})

const node = z.strictObject({
  name: text,
  verdict,
  reason: text.exactOptional(),
  runningMode: z.enum([...mode.options, 'unknown']),
  confidence: z.enum(['proven', 'likely', 'none']),
  felixIpvs: z.boolean().exactOptional(),
  effectiveRange: ranges.exactOptional(),
  rangeSource: z.enum(['env', 'file', 'host', 'selector', 'global', 'default']).exactOptional(),
  markMask: text.exactOptional(),
  markCapacity: count.exactOptional(),
  podsMax: count.exactOptional(),
})

const finding = z.strictObject({
  code,
  severity: z.enum(['critical', 'warning', 'info']),
  subject: text,
  message: text,
  evidence: z.array(
    z.strictObject({
      object: text,
      field: text.exactOptional(),
      value: text.exactOptional(),
      at: time.exactOptional(),
    }),
  ),
  remedy: text.exactOptional(),
})

const plan = z.strictObject({
  strategy,
  changes: z.array(
    z.strictObject({
      action: z.enum(['create', 'patch', 'delete', 'restart']),
      apiVersion: text,
      kind: text,
      namespace: text.exactOptional(),
      name: text,
      patch: patch.exactOptional(),
    }),
  ),
  forecast: z.strictObject({
    felixRestarts: count,
    felixRestartsAtOnce: count,
    podRestarts: count,
    seconds: z.number().min(0).exactOptional(),
  }),
  blockedBy: z.array(code),
  preconditions: z
    .strictObject({
      objects: z.array(
        z.strictObject({
          kind: text,
          namespace: text.exactOptional(),
          name: text,
          uid: text,
          resourceVersion: text.exactOptional(),
        }),
      ),
      assessed: text,
      pace: z.strictObject({
        maxUnavailable: z.union([z.number(), text]),
        restarts: z.enum(['auto', 'always', 'never']),
        canarySeconds: z.number().min(0),
        settleSeconds: z.number().min(0),
        nodeDeadlineSeconds: z.number().min(0),
      }),
    })
    .exactOptional(),
})

const rollout = z.strictObject({
  id: text,
  state: z.enum(['running', 'paused', 'halted', 'aborting']),
  target: text.exactOptional(),
  startedAt: time,
  lost: text.exactOptional(),
  writes: z.array(z.strictObject({ at: time, what: text, object: text })),
})

export const reportSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    cluster,
    observedAt: time,
    readSeconds: z.number().min(0).exactOptional(),
    verdict,
    serviceRange: z
      .strictObject({ min: port, max: port, source: z.enum(['eks-api', 'default', 'probe', 'flag']) })
      .exactOptional(),
    desiredRange: ranges.exactOptional(),
    calico: z
      .strictObject({
        version: text.exactOptional(),
        install: z.enum(['operator', 'manifest', 'none']),
        api: z.enum(['projectcalico.org/v3', 'crd.projectcalico.org/v1']).exactOptional(),
      })
      .exactOptional(),
    kubeProxy: z
      .strictObject({ configuredMode: mode.exactOptional(), addonVersion: text.exactOptional() })
      .exactOptional(),
    nodes: z.array(node),
    findings: z.array(finding),
    plan: plan.exactOptional(),
    portsInUse: ranges.exactOptional(),
    rollout: rollout.exactOptional(),
  })
  .meta({
    id: 'Report',
    description: 'One cluster at one time: verdict, nodes, findings and, where asked for, the plan.',
  })

export const sweepSchema = z
  .strictObject({ schemaVersion: z.literal(1), sweptAt: time, clusters: z.array(reportSchema) })
  .meta({ id: 'Sweep', description: 'A fleet: one report per cluster, unreachable ones among them.' })

/** `docs/report.schema.json` (JSON Schema 2020-12): a document is a Report or a Sweep. */
export const jsonSchema = (): object => ({
  title: 'calico-ipvs-sync report',
  ...z.toJSONSchema(z.union([reportSchema, sweepSchema])),
})

// Two conditional types are the same type only where what they ask about is: this also sees `?` against `| undefined`.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
type Asks<A> = <T>() => T extends A ? 1 : 2
type Equal<A, B> = Asks<A> extends Asks<B> ? true : false
type Plain<T> = T extends readonly (infer E)[] ? Plain<E>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
// Where these do not compile, the types and the schema have parted.
true satisfies Equal<Plain<z.infer<typeof reportSchema>>, Plain<Report>>
true satisfies Equal<Plain<z.infer<typeof sweepSchema>>, Plain<Sweep>>
