import { describe, expect, test } from '@jest/globals'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import type { NoticeKey, Records } from '../../shared/clients/aws/records.ts'
import type { Telling } from '../../shared/messages.ts'
import { sendNotice } from '../../shared/workflows/fleet/tell-send.ts'
import { tellOnce } from '../../shared/workflows/fleet/tell.ts'

const notice: OutgoingNotice = {
  subject: '[critical] prod: Calico is out of step with kube-proxy',
  text: 'why',
  attributes: { severity: 'critical', cluster: 'prod' },
}

/** Records, queue and topic in memory. `refuse`: what SNS says, until it is emptied. */
const outbox = () => {
  const it = {
    kept: new Map<string, OutgoingNotice>(),
    state: new Map<string, 'reserved' | 'told'>(),
    messages: [] as Telling[],
    published: [] as OutgoingNotice[],
    refuse: undefined as Error | undefined,
    log: [] as string[],
  }
  const id = ({ cluster, hash }: NoticeKey) => `${cluster} ${hash}`
  const records = {
    keepNotice: async (key: NoticeKey, content: OutgoingNotice) =>
      void (it.kept.has(id(key)) || it.kept.set(id(key), content)),
    keptNotice: async (key: NoticeKey) => it.kept.get(id(key)),
    reserve: async (key: NoticeKey) => {
      const state = it.state.get(id(key))
      if (state !== undefined) return state === 'told' ? ('told' as const) : ('busy' as const)
      it.state.set(id(key), 'reserved')
      return 'reserved' as const
    },
    release: async (key: NoticeKey) => void it.state.delete(id(key)),
    confirm: async (key: NoticeKey) => void it.state.set(id(key), 'told'),
  }
  const tools = {
    records: records as unknown as Records,
    queues: { sendTelling: async (message: Telling) => void it.messages.push(message) } as never,
    notices: {
      publish: async (content: OutgoingNotice) => {
        if (it.refuse) throw it.refuse
        it.published.push(content)
      },
    },
    now: () => new Date('2026-11-20T10:00:00Z'),
    log: (event: string) => void it.log.push(event),
  }
  const put = (about: unknown[] = ['a'], content = notice) => tellOnce(tools, '1/r/prod', { notice: content, about })
  const send = (message = it.messages.at(-1)) => sendNotice(tools, message!)
  return Object.assign(it, { put, send, tools })
}

describe('a notice', () => {
  test('has an id of its own for each cluster, whatever else is alike: two that wait for others are both kept', async () => {
    const it = outbox()
    for (const cluster of ['1/r/prod', '1/r/test']) await tellOnce(it.tools, cluster, { notice, about: ['a'] })
    expect(new Set(it.messages.map(({ tell }) => tell.hash)).size).toBe(2)
  })

  test('is put on record and sent by a message of its own', async () => {
    const it = outbox()
    await it.put()
    expect(it.published).toEqual([])
    await it.send()
    expect(it.published).toEqual([
      { ...notice, attributes: { ...notice.attributes, notice: expect.stringMatching(/^[0-9a-f]{32}$/) } },
    ])
    expect(it.log).toEqual(['told'])
  })

  test('said twice is one record; its messages send it once', async () => {
    const it = outbox()
    await it.put(['a'])
    await it.put(['a'], { ...notice, text: 'other words of the same' })
    expect([it.kept.size, it.messages.length]).toEqual([1, 2])
    for (const message of it.messages) await it.send(message)
    await it.send()
    expect(it.published.map(({ text }) => text)).toEqual(['why'])
  })

  test('of another cause is another', async () => {
    const it = outbox()
    await it.put(['a'])
    await it.put(['b'])
    for (const message of it.messages) await it.send(message)
    expect(it.published).toHaveLength(2)
  })

  test('of another cluster is another, whatever it is about: all wait under their hashes', async () => {
    const it = outbox()
    for (const cluster of ['1/r/a', '1/r/b', '1/r/c'])
      await tellOnce(it.tools, cluster, { notice, about: [undefined, undefined, '', 'unknown; warning ACCESS_DENIED'] })
    expect(new Set(it.messages.map(({ tell }) => tell.hash)).size).toBe(3)
  })

  test('that SNS does not take comes again with its message, at once when SNS takes it, and is not lost', async () => {
    const it = outbox()
    await it.put()
    it.refuse = new Error('Throttling: Rate exceeded')
    for (let tries = 0; tries < 4; tries += 1)
      await expect(it.send()).rejects.toMatchObject({
        name: 'RetryLaterError',
        message: expect.stringContaining('Rate'),
      })
    it.refuse = undefined
    await it.send()
    expect(it.published).toHaveLength(1)
  })

  test('that another is just sending waits for it', async () => {
    const it = outbox()
    await it.put()
    await it.tools.records.reserve(it.messages[0]!.tell, '')
    await expect(it.send()).rejects.toMatchObject({ name: 'RetryLaterError' })
    expect(it.published).toEqual([])
  })

  test('that is not on record is a dead letter: nobody knows what it said', async () => {
    const it = outbox()
    await expect(
      it.send({ schemaVersion: 1, tell: { cluster: '1/r/prod', hash: '0'.repeat(32) } }),
    ).rejects.toMatchObject({ name: 'PermanentError' })
  })
})
