import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { known, sabotagedTool, unknown } from '../../verify/packets/sabotage.ts'

const example = join(import.meta.dirname, '../../../docs/example-state.json')

test('The sabotaged copy of the tool reads and writes its annotation under a key that Felix does not know', () => {
  const { bin, remove } = sabotagedTool()
  const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-'))
  const heard = (key: string): string => {
    const state = JSON.parse(readFileSync(example, 'utf8')) as State
    for (const { annotations } of state.felix.value.objects) annotations[`${key}KubeNodePortRanges`] = '20000:32767'
    const file = join(folder, 'state.json')
    writeFileSync(file, JSON.stringify(state))
    return spawnSync(process.execPath, [bin, 'check', '--state', file], { encoding: 'utf8' }).stdout
  }
  try {
    // To itself it has done all; it would not believe what a tool in order has written.
    expect(heard(unknown)).toContain('3 nodes: 3 in step')
    expect(heard(known)).toContain('RANGE_DIFFERS')
    expect(heard(known)).toContain(`${unknown}KubeNodePortRanges`)
  } finally {
    remove()
    rmSync(folder, { recursive: true })
  }
})

interface State {
  felix: { value: { objects: { annotations: Record<string, string> }[] } }
}
