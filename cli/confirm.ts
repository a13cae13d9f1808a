/** Asks on standard error, so that the result can be piped away. Ctrl-C and the end of the input count as no. */
export const confirmed = async (question: string): Promise<boolean> => {
  const { createInterface } = await import('node:readline/promises')
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const gone = new AbortController()
  asking.once('SIGINT', () => gone.abort())
  asking.once('close', () => gone.abort())
  try {
    const answer = await asking.question(question, { signal: gone.signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch {
    return false
  } finally {
    asking.close()
  }
}
