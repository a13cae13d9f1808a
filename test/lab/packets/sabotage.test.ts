import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { sabotagedTool } from '../../verify/packets/sabotage.ts'

test('The sabotaged copy of the tool writes everything but the annotation', () => {
  const { bin, remove } = sabotagedTool()
  try {
    const source = readFileSync(join(dirname(bin), '../shared/domain/rollout/range-writes.ts'), 'utf8')
    expect(source).not.toMatch(/\[rangeAnnotation\]: value/)
    expect(source).toContain('kubeNodePortRanges: value.spec')
    // It runs: claims fall for want of the annotation, not for want of a tool.
    const state = join(import.meta.dirname, '../../../docs/example-state.json')
    const { status, stdout } = spawnSync(process.execPath, [bin, 'check', '--state', state], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stdout).toContain('RANGE_DIFFERS')
  } finally {
    remove()
  }
})
