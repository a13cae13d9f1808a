import { describe, expect, test } from '@jest/globals'
import { packetsTitle, withPart } from '../../verify/chapters/page.ts'

const rules = '# Proof\n\nrules\n'
const packets = `${packetsTitle}\n\npackets\n`

describe('docs/proof.md, which two programs write', () => {
  test('each keeps the other’s part', () => {
    const both = withPart(withPart('', 'rules', rules), 'packets', packets)
    expect(both).toBe(`${rules}\n${packets}`)
    expect(withPart(both, 'rules', '# Proof\n\nnew\n')).toBe(`# Proof\n\nnew\n\n${packets}`)
    expect(withPart(both, 'packets', `${packetsTitle}\n\nnew\n`)).toBe(`${rules}\n${packetsTitle}\n\nnew\n`)
  })

  test('the order in which they are run does not matter', () => {
    expect(withPart(withPart('', 'packets', packets), 'rules', rules)).toBe(`${rules}\n${packets}`)
  })
})
