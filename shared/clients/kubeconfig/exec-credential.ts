import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { harmless } from '../../domain/plain.ts'
import {
  exactTextOf as textOf,
  exactTextsOf as textsOf,
  type Foreign,
  objectOf,
  objectsOf,
  oneLine,
  present,
} from '../foreign.ts'
import { type KubeconfigEntry, KubeconfigError, pemOf } from './file.ts'
import { givenSecrets, loginsIn, type OwnSecrets, ownSecrets } from '../kube/own-secrets.ts'

/** The output of a credential plugin. */
export interface ExecCredential {
  token?: string
  cert?: string
  key?: string
  /** RFC 3339; absent: until it is rejected. */
  expiresAt?: string
}

/** Milliseconds. Where a person may have to answer a prompt, it takes longer. */
const patience = { prompted: 120_000, alone: 12_000 }

/** Runs the user's credential plugin (`aws eks get-token`), as client-go does: client.authentication.k8s.io. */
export async function execCredential(user: KubeconfigEntry, cluster: KubeconfigEntry): Promise<ExecCredential> {
  const exec = objectOf(user.value['exec'])
  if (exec['interactiveMode'] === 'Always' && !process.stdin.isTTY)
    throw new KubeconfigError(
      `The credential plugin ${oneLine(textOf(exec['command']) ?? '', 200)} asks a person (interactiveMode: Always), and there is no terminal. Run this at a terminal, or use a plugin that does not ask.`,
    )
  const name = textOf(exec['command']) ?? ''
  const command = name.includes('/') ? resolve(user.folder, name) : name
  const env = { ...process.env, ...environmentOf(exec, cluster) }
  const own = ownSecrets(...givenSecrets(textsOf(exec['args']), variablesOf(exec)), ...proxyLogins(cluster, env))
  const answer = await run(command, { exec, env, own })
  const status = objectOf(parsed(answer, command)['status'])
  const credential = present<ExecCredential>({
    token: textOf(status['token']) || undefined,
    cert: textOf(status['clientCertificateData']) || undefined,
    key: textOf(status['clientKeyData']) || undefined,
    expiresAt: textOf(status['expirationTimestamp']),
  })
  if (credential.token !== undefined || credential.cert !== undefined) return credential
  throw new KubeconfigError(`The plugin ${oneLine(command, 200)} returned neither token nor certificate.`)
}

function environmentOf(exec: Foreign, cluster: KubeconfigEntry): NodeJS.ProcessEnv {
  const spec = {
    interactive: isInteractive(exec),
    ...(exec['provideClusterInfo'] === true && { cluster: toldOf(cluster) }),
  }
  const info = { apiVersion: textOf(exec['apiVersion']), kind: 'ExecCredential', spec }
  return { ...variablesOf(exec), KUBERNETES_EXEC_INFO: JSON.stringify(info) }
}

/** What client-go tells a plugin of the cluster, the authority also where it stands in a file. */
function toldOf(cluster: KubeconfigEntry): Foreign {
  const { value } = cluster
  const pem = pemOf(cluster, 'certificate-authority')
  const extension = objectsOf(value['extensions']).find(({ name }) => name === 'client.authentication.k8s.io/exec')
  const known = ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'proxy-url'].map((key) => [key, value[key]])
  return {
    ...Object.fromEntries(known.filter(([, it]) => it !== undefined && it !== null)),
    ...(pem && { 'certificate-authority-data': Buffer.from(pem.text).toString('base64') }),
    ...(extension && { config: extension['extension'] }),
  }
}

/** May the plugin ask a person? `Never`: it gets no input, and cannot wait for an answer that does not come. */
const isInteractive = (exec: Foreign): boolean => process.stdin.isTTY && exec['interactiveMode'] !== 'Never'

const variablesOf = (exec: Foreign): Record<string, string> =>
  Object.fromEntries(
    objectsOf(exec['env']).flatMap(({ name, value }) =>
      typeof name === 'string' ? [[name, textOf(value) ?? '']] : [],
    ),
  )

function credentialsIn(answer: string): (string | undefined)[] {
  try {
    const status = objectOf(objectOf(JSON.parse(answer))['status'])
    return [textOf(status['token']), textOf(status['clientKeyData'])]
  } catch {
    return [answer.trim()]
  }
}

/** A plugin that does not get through tells of its proxy. */
const proxyLogins = (cluster: KubeconfigEntry, { HTTPS_PROXY, https_proxy }: NodeJS.ProcessEnv): string[] =>
  [textOf(cluster.value['proxy-url']), HTTPS_PROXY, https_proxy].flatMap((it) => loginsIn(it ?? ''))

interface Run {
  exec: Foreign
  env: NodeJS.ProcessEnv
  own: OwnSecrets
}

function run(command: string, { exec, env, own }: Run): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn(command, textsOf(exec['args']), {
      env,
      stdio: [isInteractive(exec) ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    })
    const ms = isInteractive(exec) ? patience.prompted : patience.alone
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      // What it has started itself may live on and keep both open.
      child.stdout?.destroy()
      child.stderr?.destroy()
      fail(`it did not end within ${ms / 1_000} s`)
    }, ms)
    let out = ''
    let said = ''
    const fail = (why: string, ended?: number | 'not there') => {
      clearTimeout(timer)
      // A plugin that fails may still have printed a credential, and its error text may contain it.
      own.learn(...credentialsIn(out))
      const hint = textOf(exec['installHint'])
      const message = `The credential plugin ${oneLine(command, 200)} failed: ${oneLine(own.hide(why))}${hint ? ` ${oneLine(hint)}` : ''}`
      reject(new KubeconfigError(message, 'login', ended === undefined ? {} : { ended }))
    }
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => {
      said = `${said}${piece.toString()}`.slice(-2_000)
      // A device code or a question for the user.
      if (process.stderr.isTTY) process.stderr.write(own.hide(piece.toString()).split('\n').map(harmless).join('\n'))
    })
    child.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT'
        ? fail('there is no such program on this machine, or not in PATH.', 'not there')
        : fail(error.message),
    )
    child.on('close', (status, signal) => {
      if (status !== 0) return fail(said || `it ended with ${status ?? signal}`, status ?? undefined)
      clearTimeout(timer)
      return done(out)
    })
  })
}

function parsed(answer: string, command: string): Foreign {
  try {
    return objectOf(JSON.parse(answer))
  } catch {
    throw new KubeconfigError(`The plugin ${oneLine(command, 200)} did not answer with an ExecCredential in JSON.`)
  }
}
