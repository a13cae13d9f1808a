import { mkdirSync } from 'node:fs'
import { type Moto, startMoto } from '../../../lab/moto/moto.ts'
import { recordsParameter } from '../../../shared/messages.ts'
import type { Claim } from '../fleet/claim.ts'
import { commandsOfPage, deployPage } from './page.ts'
import { startShell } from './shell.ts'

const region = 'eu-west-1'
const table = 'CalicoIpvsSync-Records'
const item = '"prod-1 of yesterday"'

/** What a deployment leaves: the table with a record, and the parameter that names it. */
const before = [
  `aws dynamodb create-table --table-name ${table} --billing-mode PAY_PER_REQUEST --key-schema AttributeName=cluster,KeyType=HASH AttributeName=record,KeyType=RANGE --attribute-definitions AttributeName=cluster,AttributeType=S AttributeName=record,AttributeType=S`,
  `aws dynamodb put-item --table-name ${table} --item '{"cluster":{"S":"prod-1 of yesterday"},"record":{"S":"assessment"}}'`,
  `aws ssm put-parameter --type String --name ${recordsParameter('CalicoIpvsSync')} --value ${table}`,
]
/** DynamoDB makes a backup of a table with point-in-time recovery that is deleted; moto makes none by itself. */
const deleted = [
  `aws dynamodb create-backup --table-name ${table} --backup-name ${table}$DeletedTableBackup`,
  `aws dynamodb delete-table --table-name ${table}`,
]

/** Of the page. What is asked of a table that moto has; `history` is tried in test/cli/history.test.ts. */
const elsewhere = /^npx calico-ipvs-sync history/
const seen: readonly (readonly [RegExp, string, string])[] = [
  [/restore-table-to-point-in-time/, 'aws dynamodb scan --table-name records-then', item],
  [/restore-table-from-backup/, `aws dynamodb scan --table-name ${table}`, item],
  [/update-time-to-live/, `aws dynamodb describe-time-to-live --table-name ${table}`, '"AttributeName": "expiresAt"'],
  [
    /update-continuous-backups/,
    `aws dynamodb describe-continuous-backups --table-name ${table}`,
    '"PointInTimeRecoveryStatus": "ENABLED"',
  ],
]

/** The commands that restore the records, as docs/deploy.md has them. */
export const restoreClaims = async (folder: string): Promise<Claim[]> => {
  mkdirSync(folder, { recursive: true })
  const moto = await startMoto({ region, workdir: folder })
  try {
    return await restored(moto, folder)
  } finally {
    await moto.stop()
  }
}

const restored = async (moto: Moto, folder: string): Promise<Claim[]> => {
  const shell = startShell(moto, folder)
  const inRegion = (text: string) => shell.run(`export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}; ${text}`)
  try {
    for (const text of before) await inRegion(text)
    const claims: Claim[] = []
    for (const { text, section } of commandsOfPage(deployPage(), 'bash')) {
      if (elsewhere.test(text)) continue
      if (text.startsWith('backup=')) for (const it of deleted) await inRegion(it)
      const { status, said } = await inRegion(text)
      const [, ask, wanted = ''] = seen.find(([pattern]) => pattern.test(text)) ?? []
      const { said: answer } = ask === undefined ? { said: '' } : await inRegion(ask)
      const holds = status === 0 && answer.includes(wanted)
      const detail = { detail: `${status}: ${said.slice(-500)} ${answer.slice(-500)}` }
      claims.push({ claim: `${section}: ${text}`, holds, ...(!holds && detail) })
    }
    const ran = seen.every(([pattern]) => claims.some(({ claim }) => pattern.test(claim)))
    return [...claims, { claim: 'the page has every command that restores the records', holds: ran }]
  } finally {
    shell.end()
  }
}
