import { harmless } from './plain.ts'

/**
 * Quotes text for a shell. Names come from the cluster and may contain anything; line breaks and invisible characters
 * are escaped.
 */
export const quoted = (text: string): string => {
  if (/^[\w./:=@%+,-]+$/.test(text)) return text
  const unseen = text.replace(/ /g, '') !== harmless(text).replace(/ /g, '')
  return unseen ? `$'${text.replace(/[^ -~]|[\\']/gu, spelled)}'` : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

const spelled = (letter: string): string => {
  if (letter === '\\' || letter === "'") return `\\${letter}`
  return `\\U${(letter.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}
