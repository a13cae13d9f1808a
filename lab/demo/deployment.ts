import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { synthesize } from '../../infra/app.ts'
import { bundleAll, root } from '../../infra/bundle.ts'
import { parseConfig } from '../../infra/config.ts'
import { names } from './fleet.ts'

export const place = { account: '111122223333', region: 'eu-west-1' }
export const webhookSecret = `arn:aws:secretsmanager:${place.region}:${place.account}:secret:slack-webhook`

/** As deployed it only reports; two clusters are switched on by their tags. The pace is that of a demo. */
export const deployment = {
  env: place,
  clusters: Object.values(names),
  events: { gapSeconds: 1 },
  policy: { canarySeconds: 2, settleSeconds: 1, nodeDeadlineSeconds: 60 },
  emails: ['platform@example.com'],
  slackWebhookSecretArn: webhookSecret,
  // Each notice at once: the story tells of each.
  notices: { digest: false },
}

const assembly = join(root, 'out/demo/cdk.out')

/** Bundles the functions and synthesizes the stack, in a process of its own so that clusters can start meanwhile. */
export const deploy = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: ['ignore', 'ignore', 'inherit'] })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(assembly)
      else reject(new Error(`The stack could not be synthesized (exit status ${code}); what is wrong stands above.`))
    })
  })

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(assembly, { recursive: true, force: true })
  await bundleAll()
  synthesize(parseConfig(deployment), { outdir: assembly, rules: false })
}
