'use strict'
// Ends this process by SIGKILL just before a chosen request of each message's first delivery, as Lambda may end a function anywhere. All that
// the function does outside of itself are requests, so what is left behind is what any death in between two of them leaves.
const { channel } = require('node:diagnostics_channel')
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')

const folder = process.env.LAB_CUT_SHORT
const runtimeApi = process.env.AWS_LAMBDA_RUNTIME_API

/** The message at hand, with the requests that are left to it; absent: it may end by itself. */
let current

const planned = () => {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'plan.json'), 'utf8'))
  } catch {
    return undefined
  }
}

const point = (request) => {
  if (current === undefined) return
  current.requests.push(request)
  if (current.requests.length < current.at) return
  writeFileSync(current.mark, JSON.stringify({ function: current.function, requests: current.requests }))
  process.kill(process.pid, 'SIGKILL')
  // The signal takes its time; nothing more may leave meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const isRuntimeApi = (host) => host === runtimeApi

channel('http.client.request.created').subscribe(({ request }) => {
  const host = request.getHeader('host')
  if (isRuntimeApi(host)) return
  const target = String(request.getHeader('x-amz-target') ?? '')
    .split('.')
    .at(-1)
  point(`${request.method} ${host}${request.path.split('?')[0]} ${target}`.trim())
})
channel('undici:request:create').subscribe(({ request }) => point(`${request.method} ${request.origin}${request.path}`))

module.exports = {
  /** An invocation is handed over. */
  begin: ({ bodyJson, headers }) => {
    const id = JSON.parse(bodyJson).Records?.[0]?.messageId ?? headers['lambda-runtime-aws-request-id']
    const mark = path.join(folder, `cut-${id}.json`)
    const plan = existsSync(mark) ? undefined : planned()
    current = plan && { ...plan, mark, function: process.env.LAB_FUNCTION, requests: [] }
  },
  /** The answer is about to be given. */
  answer: () => point('answer'),
}
