import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runHere as run } from '../cli/here.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { failFelixWith, setTheStage, type Stage, syncTools } from './stage.ts'

const target = '20000:32767'
const pace = { canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 2 }
let stage: Stage

beforeAll(async () => {
  stage = await setTheStage('embedded', 3)
}, 60_000)
afterAll(() => stage?.stop(), 30_000)

test('the command that is printed after an interruption puts back a value in default that makes a node ill, although no node differs', async () => {
  const policy = policyWith({ action: 'sync', strategy: 'direct', ...pace })
  const ill = stage.nodes[1] ?? ''
  const felix = await failFelixWith(stage, ill, target)
  let isWritten = false
  const tell = ({ what }: { what: string }) => void (isWritten ||= what === 'value written to default')
  const tools = { ...syncTools(stage, policy), tell, interrupted: () => isWritten }
  expect(await sync(tools, policy)).toMatchObject({ end: 'interrupted' })
  await stage.observer.caughtUp()
  const place = ['--kubeconfig', stage.cluster.kubeconfig, '--service-node-port-range', '20000-32767']
  const seconds = ['--canary-seconds', '1', '--settle-seconds', '1', '--node-deadline', '2']
  const ended = await run(['sync', ...place, ...seconds, '--yes'])
  await stage.observer.caughtUp()
  await felix.stop()
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('former value restored')])
  const lease = valueOf(await stage.direct.lease())
  expect(soundRollout(lease, Infinity)?.state).toBe('halted')
  expect(stage.nodes.map(stage.observer.rangeOn)).toEqual([target, undefined, target])
}, 60_000)
