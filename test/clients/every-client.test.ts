import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

/**
 * No call of AWS waits without end, also for an answer that drips: each client of the SDK is `bounded`, or each of its calls gets the
 * signal of a deadline.
 */
const root = join(import.meta.dirname, '../..')
const sources = ['cli', 'functions', 'shared'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
)
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Clients whose calls have deadlines of their own. */
const inTime: Record<string, string[]> = {
  'shared/clients/aws/eks-access.ts': ['STSClient', 'EKSClient'],
  'shared/preflight.ts': ['STSClient'],
}

/** Names of the clients that a text makes and does not bound; one of which only the credentials are used makes no call. */
const unboundedIn = (text: string): string[] =>
  [...text.matchAll(/(bounded\(\s*)?new ([A-Z]\w*Client)\((?!.*\.config$)/gm)]
    .filter(([, isBounded]) => isBounded === undefined)
    .map(([, , name = '']) => name)

/** Calls without a signal. */
const withoutSignal = (text: string): string[] =>
  text.split('.send(').flatMap((_, at, parts) => {
    if (at === 0) return []
    const rest = parts[at] ?? ''
    let depth = 1
    let end = 0
    while (depth > 0 && end < rest.length) {
      depth += rest[end] === '(' ? 1 : rest[end] === ')' ? -1 : 0
      end += 1
    }
    const call = rest.slice(0, end - 1)
    return /,\s*(?:options|\{[^{}]*abortSignal[^{}]*\}),?\s*$/.test(call) ? [] : [call]
  })

test('each client of the SDK is bounded', () => {
  const made = sources.map((file) => [file, unboundedIn(textOf(file))] as const).filter(([, names]) => names.length > 0)
  expect(Object.fromEntries(made)).toEqual(inTime)
})

test('each call of EKS and STS, whose clients are not, has a deadline', () => {
  const calling = sources.filter((file) => {
    const text = textOf(file)
    return /client-(?:eks|sts)'/.test(text) && (file in inTime || !/bounded\(/.test(text))
  })
  expect(calling.length).toBeGreaterThan(5)
  expect(calling.flatMap((file) => withoutSignal(textOf(file)).map((call) => `${file}: ${call}`))).toEqual([])
})

test('a client and a call without a deadline are seen', () => {
  expect(unboundedIn('const a = new S3Client({ ...limited, x: f(y) })')).toEqual(['S3Client'])
  expect(unboundedIn('const a = bounded(new S3Client(limited)); bounded(\n  new STSClient({}))')).toEqual([])
  expect(unboundedIn('const { credentials } = new STSClient({ ...(await f()) }).config')).toEqual([])
  expect(withoutSignal('sts.send(new X({ a: b() }), options)\nsts.send(new X({}))')).toEqual(['new X({})'])
})
