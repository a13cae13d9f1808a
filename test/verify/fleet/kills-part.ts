import { EKSClient, UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import type { Moment } from '../../../lab/aws/moment.ts'
import { nextSecond, until } from '../../until.ts'
import type { Claim, Sizes } from './claim.ts'
import { type Kill, type KillStage, raiseKillStage, there } from './kill-stage.ts'
import { nameIn } from './stage.ts'

/** More than any message has. */
const requestsAtMost = 60

/**
 * The same story again and again: the node-port range of a cluster changes and is put in step, while the roles of another account cannot
 * be taken for two sweeps and can be again. Each time the first delivery of every message is killed one request later. `points`: at which
 * requests; absent: at each, until no message has so many.
 */
export const killsPart = async (folder: string, _: Sizes, points?: readonly number[]): Promise<Claim[]> => {
  const stage = await raiseKillStage(folder)
  try {
    await firstSweep(stage)
    const calm = await story(stage, 0)
    const stories: Story[] = []
    for (const point of points ?? Array.from({ length: requestsAtMost }, (_, index) => index + 1)) {
      stories.push(await story(stage, point))
      if (stories.at(-1)?.kills.length === 0) break
    }
    return claimsOf(calm, stories, {
      isWhole: points === undefined,
      dead: await deadIn(stage),
      faults: stage.cloud.faults,
    })
  } finally {
    await stage.stop()
  }
}

interface Story {
  /** 0: nothing was killed. */
  point: number
  kills: Kill[]
  /** Subjects of mails, and what came to Slack. */
  mails: string[]
  slack: string[]
  /** How often each node's value changed, in the order of names. */
  touches: number[]
  /** Each FelixConfiguration with its range. */
  ranges: [string, string | undefined][]
  target: string
}

/** Both clusters are out of step as they are made. */
const firstSweep = async ({ cloud }: KillStage): Promise<void> => {
  cloud.fire()
  await cloud.idle({ timeoutMilliseconds: 300_000 })
}

const story = async (stage: KillStage, point: number): Promise<Story> => {
  const { cloud, witness } = stage
  const from = { mails: cloud.deliveries.length, slack: cloud.slack.received.length, touches: witness.touches.length }
  const minPort = 21_000 + point
  stage.killAt(point === 0 ? undefined : point)
  await changeRange(stage, minPort)
  await stage.setClosed(true)
  await sweepOnce(stage)
  await sweepOnce(stage)
  await stage.setClosed(false)
  await sweepOnce(stage)
  await cloud.idle({ timeoutMilliseconds: 900_000 })
  // What comes late is not lost; what only the next story brings is.
  const heard = () => new Set(cloud.deliveries.slice(from.mails).map(({ subject }) => subject)).size
  await until('the notices', () => heard() >= 4, 60).catch(() => undefined)
  await cloud.idle({ timeoutMilliseconds: 900_000 })
  stage.killAt()
  await witness.caughtUp()
  const touches = witness.touches.slice(from.touches)
  return {
    point,
    kills: stage.kills(),
    mails: cloud.deliveries
      .slice(from.mails)
      .flatMap(({ subject }) => subject ?? [])
      .toSorted(),
    slack: cloud.slack.received
      .slice(from.slack)
      .map(({ body }) => String(body['text']))
      .toSorted(),
    touches: witness.nodes.map((node) => touches.filter((it) => it.node === node).length),
    ranges: witness.ranges(),
    target: `${minPort}:32767`,
  }
}

const changeRange = async ({ cloud }: KillStage, minPort: number): Promise<void> => {
  const credentials = cloud.keyring.forUser(`arn:aws:iam::${there.account}:user/operator`)
  const eks = new EKSClient({
    region: there.region,
    credentials,
    endpoint: cloud.endpoints['AWS_ENDPOINT_URL_EKS'] ?? '',
  })
  const serviceNodePortRange = { minPort, maxPort: 32_767 }
  await eks.send(new UpdateClusterConfigCommand({ name: nameIn(there), kubeApiServerConfig: { serviceNodePortRange } }))
  eks.destroy()
}

/** A sweep and all its places, killed ones with it. A sweep's id has whole seconds. */
const sweepOnce = async ({ cloud, moments }: KillStage): Promise<void> => {
  await nextSecond()
  const from = moments.length
  cloud.fire('Schedule')
  const hasSent = (it: Moment) => it.kind === 'invocation' && it.name === 'Sweep' && !('error' in it.result)
  await until('the sweep', () => moments.slice(from).some(hasSent), 300)
  // The message that closes the sweep comes again after ever longer waits.
  const isListing = (body: string) => body.includes('"place"')
  await until('the places to be listed', async () => !(await cloud.messages('Places')).some(isListing), 300)
}

interface About {
  isWhole: boolean
  dead: string[]
  faults: Error[]
}

const claimsOf = (calm: Story, stories: Story[], { isWhole, dead, faults }: About): Claim[] => {
  const all = stories.flatMap(({ kills }) => kills)
  const killed = Map.groupBy(all, (it) => it.function)
  const counts = [...killed].map(([name, { length }]) => `${name} ${length}`).join(', ')
  const unlike = (pick: (it: Story) => unknown, wanted: (it: Story) => unknown) =>
    stories.flatMap((it) =>
      JSON.stringify(pick(it)) === JSON.stringify(wanted(it))
        ? []
        : [`request ${it.point}: ${JSON.stringify(pick(it))} in place of ${JSON.stringify(wanted(it))}`],
    )
  const claim = (text: string, wrong: string[], detail: string): Claim => ({
    claim: text,
    holds: wrong.length === 0 && all.length > 0,
    detail: [detail, ...wrong.slice(0, 10)].join('; '),
  })
  return [
    {
      claim: 'without kills the cluster is put in step, each node touched once, and people are notified',
      holds: calm.kills.length === 0 && calm.touches.every((count) => count === 1) && calm.mails.length === 4,
      detail: calm.mails.join(' · '),
    },
    {
      claim: `every message's first delivery is killed at ${isWhole ? 'each of its requests' : 'some of its requests'}, in each function that has messages`,
      holds: withMessages.every((name) => killed.has(name)) && (!isWhole || stories.at(-1)?.kills.length === 0),
      detail: `${all.length} kills at ${stories.length} requests: ${counts}`,
    },
    claim(
      'nothing is lost: the cluster is put in step each time, with no override left',
      unlike(
        ({ ranges }) => ranges,
        ({ target }) => [['default', target]],
      ),
      `${stories.length} rollouts`,
    ),
    claim(
      'nothing is done twice: the value of each node changes once each time',
      unlike(
        ({ touches }) => touches,
        () => calm.touches,
      ),
      `${stories.length} rollouts`,
    ),
    claim(
      'each notice is sent once, and again only where a function was killed between the answer of SNS or Slack and its record',
      stories.flatMap((it) => [...againUnasked(calm, it, 'mails'), ...againUnasked(calm, it, 'slack')]),
      `${stories.reduce((sum, it) => sum + it.mails.length, 0)} mails, ${stories.reduce((sum, it) => sum + repeatable(it, 'mails'), 0)} of which could not be known to be sent`,
    ),
    claim(
      'no message is a dead letter, and nothing failed in the lab',
      [...dead, ...faults.map(String)],
      `${dead.length}`,
    ),
  ]
}

/** By their labels in the template. */
const withMessages = ['OnEvent', 'Sweep', 'ListClusters', 'Evaluate', 'RolloutStep', 'Tell', 'NotifySlack']

type Way = 'mails' | 'slack'

/** What differs from the calm story beyond the repetitions that nobody can avoid. */
const againUnasked = (calm: Story, it: Story, way: Way): string[] => {
  const count = (all: string[]) =>
    new Map([...Map.groupBy(all, (text) => text)].map(([text, { length }]) => [text, length]))
  const [usual, seen] = [count(withoutPorts(calm[way])), count(withoutPorts(it[way]))]
  const lost = [...usual]
    .filter(([text]) => !seen.has(text) && !isProgress.test(text))
    .map(([text]) => `request ${it.point}: not sent: ${text}`)
  const odd = [...seen]
    .filter(([text]) => !usual.has(text) && !isProgress.test(text))
    .map(([text]) => `request ${it.point}: sent: ${text}`)
  const extra = [...seen].reduce((sum, [text, times]) => sum + Math.max(0, times - (usual.get(text) ?? 1)), 0)
  const most = repeatable(it, way)
  return [
    ...lost,
    ...odd,
    ...(extra > most ? [`request ${it.point}: ${extra} ${way} again, ${most} at most expected`] : []),
  ]
}

/** Told where an evaluation comes while nodes wait; a step that begins late because it was killed finds the wait over. */
const isProgress = /changed and well/

const withoutPorts = (texts: string[]): string[] => texts.map((text) => text.replaceAll(/\d{5}/g, 'PORT'))

/** Kills right after SNS or Slack had taken a notice: it may be sent once more. */
const repeatable = ({ kills }: Story, way: Way): number =>
  kills.filter(({ function: name, requests }) => {
    const last = requests.at(-2) ?? ''
    // SNS is asked with a form, every other service with a target.
    if (name === 'Tell') return /^POST [^ /]+\/$/.test(last)
    return way === 'slack' && name === 'NotifySlack' && last.includes('/services/')
  }).length

const deadIn = async ({ cloud }: KillStage): Promise<string[]> => {
  const queues = cloud.stack.ofType('AWS::SQS::Queue').map(({ label }) => label)
  const letters = queues.filter((label) => label.endsWith('DeadLetters')).map((label) => cloud.messages(label))
  return (await Promise.all(letters)).flat()
}
