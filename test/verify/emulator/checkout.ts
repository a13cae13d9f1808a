import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'

const kept = ['cli', 'functions', 'infra', 'shared', 'test', 'lab', 'docs', 'package.json', 'tsconfig.json', 'LICENSE']

/**
 * A checkout as somebody has it who has run `npm ci` and written `deploy.json`: nothing is bundled. What stands for moto's shortfalls is
 * one more step of the app; and nobody is asked, for nobody is there.
 */
export const freshCheckout = (folder: string, configuration: string): string => {
  for (const name of kept) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const cdk = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { app: string }
  const app = `${cdk.app} && node test/verify/emulator/write-for-moto.ts`
  writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ ...cdk, app, requireApproval: 'never' }))
  writeFileSync(join(folder, 'deploy.json'), configuration)
  return folder
}
