'use strict'
// Loaded before AWS's runtime client (aws-lambda-ric), whose native part is a C++ client of the Runtime API that has to be compiled.
// Only `next`, `done` and `error` of it are used; here they are HTTP, so that all the rest stays AWS's own code.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const { Agent, request } = require('node:http')
const { registerHooks } = require('node:module')
const { pathToFileURL } = require('node:url')

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const cutShort = process.env.LAB_CUT_SHORT === undefined ? undefined : require('./cut-short.cjs')

/** Answers are posted one after another, and the next invocation is not asked for before the last answer is through. */
let posted = Promise.resolve()

const call = (method, path, body = '', headers = {}) =>
  new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method, path: `/2018-06-01/runtime/invocation/${path}`, headers })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      const chunks = []
      incoming.on('data', (chunk) => chunks.push(chunk))
      incoming.on('end', () => resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: incoming.headers }))
      incoming.on('error', reject)
    })
    outgoing.end(body)
  })

const post = (path, body, headers) => {
  posted = posted.then(() => call('POST', path, body, { 'content-type': 'application/json', ...headers }))
}

module.exports = {
  next: async () => {
    await posted
    const handed = await call('GET', 'next')
    cutShort?.begin(handed)
    return handed
  },
  done: (id, body) => {
    cutShort?.answer()
    post(`${id}/response`, body)
  },
  error: (id, body) => post(`${id}/error`, body, { 'lambda-runtime-function-error-type': 'Unhandled' }),
}

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === './rapid-client.node'
      ? { url: pathToFileURL(__filename).href, format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
})

// Standard input is a pipe from the lab: when the lab is gone, however it went, so is this process.
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0))
process.stdin.resume()
process.stdin.unref?.()
