import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pythonPackages } from '../../../../lab/build/python-packages.ts'
import { awsCommand } from '../../../../lab/moto/moto.ts'
import type { Command } from '../run-measured.ts'

const requirements = join(import.meta.dirname, 'requirements.txt')

export interface Custodian {
  command: Command
  /** How many clusters the last run described. */
  described: () => number
}

/**
 * Cloud Custodian, brought from PyPI once, as it lists and describes all clusters of a region and does nothing with them. Throws where
 * there is no Python with pip.
 */
export const custodian = async (region: string, workdir: string): Promise<Custodian> => {
  const [folder, variables] = await Promise.all([
    pythonPackages({ name: 'c7n', requirements, megabytes: 1 }),
    awsCommand(),
  ])
  const policies = join(workdir, 'policies.json')
  const output = join(workdir, 'custodian')
  writeFileSync(policies, JSON.stringify({ policies: [{ name: 'clusters', resource: 'aws.eks' }] }))
  const words = ['run', '--region', region, '--cache-period', '0', '--output-dir', output, policies]
  return {
    command: {
      file: 'python3',
      words: ['-c', start, ...words],
      env: { ...variables, PYTHONPATH: [folder, variables['PYTHONPATH']].join(':') },
    },
    described: () => (JSON.parse(readFileSync(join(output, 'clusters/resources.json'), 'utf8')) as unknown[]).length,
  }
}

/** As its own command does, which `--target` of pip puts nowhere that a PATH leads to. */
const start = 'import sys; from c7n.cli import main; sys.exit(main())'
