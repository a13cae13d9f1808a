import { describe, expect, test } from '@jest/globals'
import type { PublishCommandInput, SNSClient } from '@aws-sdk/client-sns'
import { notices } from '../../shared/clients/aws/notices.ts'
import { digestOf } from '../../shared/domain/notice/digest.ts'
import { type HeldNotice, membersAtMost } from '../../shared/domain/notice/gather.ts'
import { clusterNotice, storm } from './storm-stage.ts'

const digest = { moreThan: 10, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' }

/** The most that EKS allows: 50 tags of 128 and 256 characters, and names of 100. */
const tagsOf = (index: number) =>
  Array.from({ length: 50 }, (_, tag) => `${index}-${tag}`.padEnd(128, '€').concat('=').padEnd(385, '€'))
const nameOf = (index: number) => `c${index}-`.padEnd(100, 'x')
const keyOf = (name: string) => `111122223333/eu-west-1/${name}`

describe('more clusters at one time than one digest can have, each with as many tags as EKS allows', () => {
  test('are told at once, all of them, in digests of equal size', async () => {
    const count = membersAtMost + 5
    // It refuses items that DynamoDB would refuse.
    const it = storm({ rules: { digest }, tags: ['team=pay'] })
    for (let index = 0; index < count; index += 1)
      await it.say(
        keyOf(nameOf(index)),
        clusterNotice(nameOf(index), 'trouble', { tag: ['team=pay', ...tagsOf(index)] }),
      )
    await it.run(0)
    const waiting = [...it.held.values()].map(({ notice }) => notice.attributes.tag)
    expect(waiting).toEqual(Array.from({ length: count }, () => ['team=pay']))
    await it.run(120)
    expect([it.dead, it.held.size, it.queue]).toEqual([[], 0, []])
    expect(it.published.map(({ notice: { attributes } }) => [attributes.cluster.length, attributes.tag])).toEqual([
      [Math.ceil(count / 2), ['team=pay']],
      [Math.floor(count / 2), ['team=pay']],
    ])
    expect(new Set(it.published.flatMap(({ notice }) => notice.attributes.cluster)).size).toBe(count)
    expect(it.published[0]?.notice.text).toContain(`Another one follows, instead of ${Math.floor(count / 2)} more.`)
    // The same again within a day is known, for all of them.
    await it.run(3_600)
    for (let index = 0; index < 20; index += 1)
      await it.say(keyOf(nameOf(index)), clusterNotice(nameOf(index), 'trouble'))
    await it.run(7_200)
    expect(it.published).toHaveLength(2)
  })
})

describe('the largest digest', () => {
  const members = (accounts: number, over: { text?: string; causes?: (index: number) => string[] }): HeldNotice[] =>
    Array.from({ length: membersAtMost }, (_, index) => {
      const [account, region, name] = [String(index % accounts).padStart(12, '0'), 'ap-southeast-1', nameOf(index)]
      const causes = over.causes?.(index)
      const notice = clusterNotice(name, 'trouble', { account, region, ...(causes && { causes }) })
      return {
        cluster: `${account}/${region}/${name}`,
        hash: String(index).padStart(32, '0'),
        at: '2026-11-20T10:00:00.000Z',
        notice: { ...notice, ...(over.text && { text: over.text }) },
      }
    })
  // First lines that are long, not ASCII, and longer still as JSON.
  const different = members(membersAtMost, { text: `c: ${'€"'.repeat(1_000)}`, causes: (index) => [`CAUSE_${index}`] })

  test.each([
    ['of as many causes as clusters', different, /\n985 × other causes\n/],
    ['of one cause in a thousand accounts', members(membersAtMost, {}), /\n {2}and 9\d\d more accounts and regions\n/],
    ['of one cause in forty accounts', members(40, {}), /\n {2}0{12} ap-southeast-1: c0-x/],
  ])('%s is accepted by SNS, which counts bytes of all parts, and ends with what to do', async (_, all, shown) => {
    const one = digestOf(all, '2026-11-20T10:01:00.000Z')
    let [bytes, text] = [0, '']
    const send = async ({ input: { Message = '', MessageAttributes } }: { input: PublishCommandInput }) => {
      bytes = Buffer.byteLength(Message) + Buffer.byteLength(JSON.stringify(MessageAttributes))
      text = (JSON.parse(Message) as { default: string }).default
      return { MessageId: '1' }
    }
    const topic = notices({ send } as unknown as SNSClient, { topicArn: 'topic' })
    await topic.publish(one)
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes).toBeLessThan(256 * 1_024)
    expect(text).toMatch(shown)
    expect(text).toContain('What to do:\n1. ')
    expect(text).toMatch(/\nAs of 2026-11-20T10:01:00.000Z.$/)
  })
})
