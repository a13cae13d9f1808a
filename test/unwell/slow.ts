import type { Moment } from '../../lab/aws/moment.ts'
import { place } from '../flow/guards-stage.ts'
import { type GatedStage, raiseGated, services } from './gated-stage.ts'

/**
 * An AWS that answers, each time late: no call is out of its own time, and all of them together are. The function ends before
 * Lambda ends it, says which service took the time, and its message comes again.
 */
const name = 'slow'
const look = { schemaVersion: 1, cluster: { ...place, name }, reason: 'event', cause: 'a test' }

/** Of a look while all services are late, and of the same message when they are well again. */
export interface Late {
  first: { result: unknown; seconds: number }
  second: unknown
  lines: string[]
  subjects: string[]
  dead: string[]
}

const looked = async ({ stage }: GatedStage, receives: number) => {
  const attributes = { ApproximateReceiveCount: String(receives) }
  const record = { messageId: 'm', receiptHandle: 'none', body: JSON.stringify(look), attributes }
  const began = performance.now()
  const { result } = await stage.cloud.invoke('Evaluate', { Records: [record] })
  return { result, seconds: (performance.now() - began) / 1_000 }
}

export const lookWhereAllIsLate = async (): Promise<Late> => {
  const lines: string[] = []
  const it = await raiseGated(name, (moment: Moment): void => {
    if (moment.kind === 'log') lines.push(moment.line)
  })
  const { cloud, deploy } = it.stage
  try {
    deploy({ canarySeconds: 0, settleSeconds: 0 })
    for (const service of services) it.gates[service].set('late')
    const first = await looked(it, 1)
    const linesOfFirst = [...lines]
    for (const service of services) it.gates[service].set(undefined)
    const { result: second } = await looked(it, 2)
    await cloud.idle()
    return {
      first,
      second,
      lines: linesOfFirst,
      subjects: cloud.deliveries.map(({ subject }) => String(subject)),
      dead: await cloud.messages('EvaluationsDeadLetters'),
    }
  } finally {
    await it.stop()
  }
}
