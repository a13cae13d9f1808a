import { mkdirSync } from 'node:fs'
import type { Moto } from '../../../lab/moto/moto.ts'
import { survivors } from '../../infra/survivors.ts'
import type { Claim } from '../fleet/claim.ts'
import { inventory, since } from './ask.ts'
import { freshCheckout } from './checkout.ts'
import { commandsOfPage, configurationOfPage } from './page.ts'
import { startShell } from './shell.ts'

/** Commands of the page that cannot be carried out on moto, and where they are tried instead. */
export const elsewhere: readonly (readonly [RegExp, string])[] = [
  [/^npm ci$/, 'it has been run: there is a node_modules'],
  [/^git fetch/, 'there is no newer version; test/flow/pasted.test.ts'],
  [/^aws eks describe-cluster/, 'moto has no cluster; test/flow/pasted.test.ts'],
  [/^(viewer|operator)=/, 'moto keeps no outputs of a stack that a change set makes; test/flow/pasted.test.ts'],
  [/^npx calico-ipvs-sync /, 'moto knows no access entries; test/flow/pasted.test.ts'],
  [/^aws lambda invoke /, 'moto runs functions in Docker; test/flow/pasted.test.ts'],
  [/^aws logs filter-log-events /, 'nothing has run that could have logged; test/flow/pasted.test.ts'],
]

/** What must be seen after a command; every other must end with status 0 alone. */
const seen: readonly (readonly [RegExp, RegExp])[] = [
  [/^aws sts get-caller-identity/, /"Account": "111122223333"/],
  [/^npx cdk bootstrap/, /bootstrapped/],
  [/^aws cloudtrail describe-trails/, /^trail\tTrue\teu-west-1$/m],
  [/^npm run deploy/, /✅ {2}CalicoIpvsSync/],
  [/^sweep=/, /^\S*Sweep\S*$/m],
  [/^logs=/, /^\S*EvaluateLogs\S*$/m],
  [/^npx cdk diff/, /Number of stacks with differences: 0/],
  [/^npx cdk destroy/, /CalicoIpvsSync: destroyed/],
]

/** Every command of `docs/deploy.md` in its order, as it stands there, in a fresh checkout whose AWS is moto. */
export const pathClaims = async (moto: Moto, folder: string): Promise<Claim[]> => {
  mkdirSync(folder)
  const checkout = freshCheckout(folder, configurationOfPage())
  const shell = startShell(moto, checkout)
  const claims: Claim[] = []
  try {
    const early = await shell.run(`AWS_REGION=${moto.region} npm run deploy`)
    claims.push({
      claim: 'npm run deploy before the bootstrap ends with one sentence that says so',
      holds: early.status === 1 && /^Account 111122223333 is not bootstrapped .* once\.$/m.test(early.said),
      detail: `${early.status}: ${early.said.trim().slice(-600)}`,
    })
    for (const it of trail) await shell.run(it)
    const before = await inventory(moto)
    for (const { text, section } of commandsOfPage()) {
      if (elsewhere.some(([pattern]) => pattern.test(text))) continue
      const shown = text.replace(/^(sweep|logs)=.*$/s, '$&; echo "$$$1"')
      const { status, said } = await shell.run(asked(shown))
      const wanted = seen.find(([pattern]) => pattern.test(text))?.[1]
      const holds = status === 0 && (wanted === undefined || wanted.test(said))
      claims.push({
        claim: `${section}: ${text}`,
        holds,
        ...(!holds && { detail: `${status}: ${said.slice(-1_000)}` }),
      })
    }
    const left = Object.keys(since(before, await inventory(moto)))
    claims.push({
      claim: 'after the last of them nothing is left but what the page says, and the bootstrap',
      holds: left.length > 0 && left.every((type) => survivors[type] !== undefined || ofBootstrap.includes(type)),
      detail: left.join(', '),
    })
    return claims
  } finally {
    shell.end()
  }
}

const ofBootstrap = ['AWS::IAM::Role', 'AWS::SSM::Parameter']

/** Nobody is there who could say yes. */
const asked = (text: string): string => (text.startsWith('npx cdk destroy') ? `${text} --force` : text)

/** What the page takes for given: a trail that logs. */
const trail = [
  'aws s3api create-bucket --bucket trails --create-bucket-configuration LocationConstraint=eu-west-1',
  'aws cloudtrail create-trail --name trail --s3-bucket-name trails --is-multi-region-trail',
].map((it) => `AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 ${it}`)
