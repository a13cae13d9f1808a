import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Fault, PlainAnswer, PlainRequest } from '../../lab/embedded/faults.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { authenticate, type Behaviour } from './behaviour.ts'
import { behaviours } from './behaviours.ts'
import { prepare } from './objects.ts'

/** A way in which an embedded server might differ from the real one, and the parts of the contract that must notice. */
interface Difference {
  name: string
  fault: Fault
  part: string
  noticedBy: string[]
}

const edited = (answer: PlainAnswer, edit: (body: Record<string, unknown>) => unknown): PlainAnswer => {
  if (!answer.body.startsWith('{')) return answer
  return { ...answer, body: JSON.stringify(edit(JSON.parse(answer.body) as Record<string, unknown>)) }
}

/** A parsed body without a key, at whatever depth it stands. */
const lacking = (value: unknown, key: string): unknown =>
  JSON.parse(JSON.stringify(value, (name, inner: unknown) => (name === key ? undefined : inner)))

const withBody = (request: PlainRequest, edit: (body: unknown) => unknown): PlainRequest =>
  request.body === '' ? request : { ...request, body: JSON.stringify(edit(JSON.parse(request.body))) }

const withoutQuery = (request: PlainRequest, parameter: string): PlainRequest => ({
  ...request,
  url: request.url.replace(new RegExp(`([?&])${parameter}=[^&]*&?`), '$1'),
})

const differences: Difference[] = [
  {
    name: 'a merge patch whose resource version is ignored',
    fault: {
      method: 'PATCH',
      rewriteRequest: (request) => withBody(request, (body) => lacking(body, 'resourceVersion')),
    },
    part: 'patching',
    noticedBy: ['refuses a merge patch of another resource version, without causes'],
  },
  {
    name: 'a dry run that checks node ports',
    fault: { method: 'POST', path: /services\?dryRun/, rewriteRequest: (request) => withoutQuery(request, 'dryRun') },
    part: 'node ports',
    noticedBy: ['checks no node port on a dry run'],
  },
  {
    name: 'a default that is missing',
    fault: {
      path: /felixconfigurations/,
      rewriteAnswer: (answer) => edited(answer, (body) => lacking(body, 'nftablesMode')),
    },
    part: 'custom resources',
    noticedBy: ['fills schema defaults into what it stores', 'shows the defaults on a dry run too'],
  },
  {
    name: 'unknown fields that pass strict validation',
    fault: { rewriteRequest: (request) => withoutQuery(request, 'fieldValidation') },
    part: 'custom resources',
    noticedBy: ['refuses unknown fields under strict validation: 400 to a create, 422 to a patch'],
  },
  {
    name: 'an empty list of metadata that is not null',
    fault: { rewriteAnswer: (answer) => ({ ...answer, body: answer.body.replace('"items":null', '"items":[]') }) },
    part: 'reading',
    noticedBy: ['answers items: null in an empty list of metadata'],
  },
  {
    name: 'pages that show the present instead of one moment',
    fault: {
      path: /continue=/,
      rewriteRequest: (request) => ({
        ...request,
        url: request.url.replace(/continue=([^&]+)/, (_all, token: string) => `continue=${presentToken(token)}`),
      }),
    },
    part: 'reading',
    noticedBy: ['pages through one moment, whatever is written meanwhile'],
  },
  {
    name: 'deletions that do not look at preconditions',
    fault: { method: 'DELETE', rewriteRequest: (request) => ({ ...request, body: '' }) },
    part: 'deleting',
    noticedBy: ['deletes nothing of another uid or resource version'],
  },
  {
    name: 'a field manager that is not heard',
    fault: { rewriteRequest: (request) => withoutQuery(request, 'fieldManager') },
    part: 'managed fields',
    noticedBy: ['records who owns which field of a custom resource', 'owns nothing that is gone'],
  },
]

/** The token of a page, pointed to whatever moment the server is at. */
const presentToken = (token: string): string =>
  Buffer.from(
    Buffer.from(token, 'base64url')
      .toString()
      .replace(/"rv":\d+/, '"rv":-1'),
  ).toString('base64url')

describe('a deliberate difference planted in the embedded API server', () => {
  const workdir = mkdtempSync(join(tmpdir(), 'planted-'))
  afterAll(() => rmSync(workdir, { recursive: true, force: true }))

  it.each(differences.map((difference) => [difference.name, difference] as const))(
    '%s is caught by the contract',
    async (_name, { fault, part, noticedBy }) => {
      const list = behaviours[part] ?? []
      const quick = list.filter(({ name }) => !slow.test(name))
      expect(await failing(workdir, quick, undefined)).toEqual([])
      const failed = await failing(workdir, quick, fault)
      expect(failed).toEqual(expect.arrayContaining(noticedBy))
      // It is this difference that they notice, not a server that is broken altogether.
      expect(failed.length).toBeLessThan(quick.length)
    },
  )
})

/** These wait for seconds to pass and notice nothing the others would not. */
const slow = /with the time of the change/

/** The names of the behaviours that a fresh server, with the fault or without any, does not show. */
async function failing(workdir: string, list: Behaviour[], fault: Fault | undefined): Promise<string[]> {
  const cluster = await startEmbedded({ name: 'planted', workdir, authenticate })
  try {
    await prepare(cluster)
    if (fault !== undefined) cluster.faults.inject(fault)
    const failed: string[] = []
    for (const { name, run } of list) {
      await run(cluster).catch(() => failed.push(name))
    }
    return failed
  } finally {
    await cluster.stop()
  }
}
