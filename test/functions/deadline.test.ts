import { expect, test } from '@jest/globals'
import { inTime } from '../../shared/clients/aws/limits.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { counted, needTime, timeLeft, withDeadline } from '../../shared/deadline.ts'
import { setTimeout as sleep } from 'node:timers/promises'

const answering = (ms: number) => () => sleep(ms, 'an answer')
const never = () => new Promise<never>(() => undefined)

test('without a deadline, as on the command line, there is time without end', () => {
  expect(timeLeft()).toBe(Infinity)
  needTime(1e9, 'anything')
})

test('calls that each keep to their own time end by the deadline of all, and the slowest service is named', async () => {
  const began = Date.now()
  const work = withDeadline(300, async () => {
    for (;;) {
      await inTime('DynamoDB', answering(100), 200)
      await inTime('SQS', answering(10), 200)
    }
  })
  await expect(work).rejects.toMatchObject({
    name: 'TimeoutError',
    message: expect.stringMatching(/^(DynamoDB|SQS): no time is left; DynamoDB took \d+ s of \d+ s$/),
  })
  expect(Date.now() - began).toBeLessThan(1_000)
})

test('a call that begins shortly before the deadline is given up at it, not at its own', async () => {
  const began = Date.now()
  await expect(withDeadline(50, () => inTime('eks:DescribeCluster', never, 5_000))).rejects.toThrow(
    'eks:DescribeCluster: no time is left; EKS took 0 s of 0 s',
  )
  expect(Date.now() - began).toBeLessThan(1_000)
})

test('what is asked at the same time counts once', async () => {
  const work = withDeadline(1_000, async () => {
    await Promise.all([1, 2, 3].map(() => counted('EKS', answering(700))))
    needTime(900, 'a look')
  })
  await expect(work).rejects.toThrow('a look: no time is left; EKS took 1 s of 1 s')
})

test('of the time some is left for what says how it ended: the API server is not asked any more', async () => {
  const kube = kubeClient({ server: 'https://127.0.0.1:9' })
  const write = withDeadline(5_000, () => kube.putLease({ annotations: {} }))
  await expect(write).rejects.toMatchObject({
    name: 'TimeoutError',
    message: expect.stringContaining('Kubernetes API'),
  })
  kube.close()
})
