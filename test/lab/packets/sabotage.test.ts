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
  } finally {
    remove()
  }
})
