import { kept } from '../../../shared/domain/capture/kept.ts'
import { safeJson } from '../../../shared/domain/plain.ts'
import { exampleState } from '../samples/documents.ts'

/** As `capture` writes it. */
export const exampleText = (): string => `${safeJson(kept(exampleState()), 2)}\n`
