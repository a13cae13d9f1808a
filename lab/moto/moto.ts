import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pythonPackages, pythonVariables } from '../build/python-packages.ts'
import { freePorts } from '../loopback.ts'
import { startProcess, untilReady } from '../processes.ts'

/** moto, an emulator of AWS that knows nothing of this project, as a server of this machine. */
export interface Moto {
  /** By name, for moto takes a template's URL for S3's only where it says so. */
  endpoint: string
  region: string
  /** For `aws`, which is first in PATH, `cdk` and everything else that asks AWS: the emulator, and credentials that it takes. */
  env: Record<string, string>
  /** Types of resources that it has been given in templates and passes over, as its log says. */
  passedOver: () => string[]
  stop: () => Promise<void>
}

const requirements = join(import.meta.dirname, 'requirements.txt')

const packages = () => pythonPackages({ name: 'moto', requirements, megabytes: 60 })

/** For `aws`, which comes with moto, first in PATH. */
export const awsCommand = async (): Promise<Record<string, string>> => commandIn(await packages())

const commandIn = (folder: string) => ({
  PATH: [join(folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(':'),
  ...pythonVariables(folder),
})

/** Whose account it is where none is named. */
export const defaultAccount = '123456789012'

/**
 * Throws where there is no Python with pip: then nothing is shown, and nothing may be taken for shown. `account`: everybody's. Absent: a
 * request that names none is of `defaultAccount`.
 */
export const startMoto = async (at: { account?: string; region: string; workdir: string }): Promise<Moto> => {
  const folder = await packages()
  const [port = 0] = await freePorts(1)
  const logFile = join(at.workdir, 'moto.log')
  const env = { ...pythonVariables(folder), ...(at.account && { MOTO_ACCOUNT_ID: at.account }) }
  const args = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`]
  const server = startProcess({ name: 'moto', command: 'python3', args, logFile, env })
  await untilReady(server, async () => (await fetch(`http://127.0.0.1:${port}/moto-api/`)).ok, 120_000)
  const endpoint = `http://localhost:${port}`
  return {
    endpoint,
    region: at.region,
    env: {
      ...environment(at.region),
      ...commandIn(folder),
      AWS_ENDPOINT_URL: endpoint,
    },
    passedOver: () => {
      const lines = readFileSync(logFile, 'utf8').matchAll(/^No Moto CloudFormation support for (\S+)$/gm)
      return [...new Set([...lines].map(([, type = '']) => type))].toSorted()
    },
    stop: () => server.kill(),
  }
}

const environment = (region: string): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: 'AKIAEMULATED',
  AWS_SECRET_ACCESS_KEY: 'emulated',
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PAGER: '',
  CDK_DISABLE_CLI_TELEMETRY: 'true',
})
