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
import { type Entry, KubeconfigError } from './file.ts'
import { givenSecrets, ownSecrets } from '../kube/own-secrets.ts'

/** What a credential plugin gave. */
export interface ExecCredential {
  token?: string
  cert?: string
  key?: string
  /** RFC 3339; absent: until it is refused. */
  expiresAt?: string
}

/** A person may have to answer a prompt; nobody waits longer than this. */
const patienceMs = 120_000

/** Runs the user's credential plugin (`aws eks get-token`), as client-go does: client.authentication.k8s.io. */
export async function execCredential(user: Entry, cluster: Entry): Promise<ExecCredential> {
  const exec = objectOf(user.value['exec'])
  const name = textOf(exec['command']) ?? ''
  const command = name.includes('/') ? resolve(user.folder, name) : name
  const answer = await run(command, textsOf(exec['args']), { ...process.env, ...environmentOf(exec, cluster) }, exec)
  const status = objectOf(parsed(answer, command)['status'])
  const credential = present<ExecCredential>({
    token: textOf(status['token']) || undefined,
    cert: textOf(status['clientCertificateData']) || undefined,
    key: textOf(status['clientKeyData']) || undefined,
    expiresAt: textOf(status['expirationTimestamp']),
  })
  if (credential.token !== undefined || credential.cert !== undefined) return credential
  throw new KubeconfigError(`The plugin ${oneLine(command, 200)} gave neither token nor certificate.`)
}

function environmentOf(exec: Foreign, cluster: Entry): NodeJS.ProcessEnv {
  const { server, 'certificate-authority-data': ca, 'tls-server-name': serverName } = cluster.value
  const spec = {
    interactive: process.stdin.isTTY,
    ...(exec['provideClusterInfo'] === true && {
      cluster: { server, 'certificate-authority-data': ca, 'tls-server-name': serverName },
    }),
  }
  const info = { apiVersion: textOf(exec['apiVersion']), kind: 'ExecCredential', spec }
  return { ...variablesOf(exec), KUBERNETES_EXEC_INFO: JSON.stringify(info) }
}

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

function run(command: string, args: string[], env: NodeJS.ProcessEnv, exec: Foreign): Promise<string> {
  const own = ownSecrets(...givenSecrets(args, variablesOf(exec)))
  return new Promise((done, reject) => {
    const child = spawn(command, args, { env, stdio: ['inherit', 'pipe', 'pipe'] })
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    let out = ''
    let said = ''
    const fail = (why: string) => {
      clearTimeout(patience)
      // One that fails may have given its credential all the same, and said it too.
      own.learn(...credentialsIn(out))
      const hint = textOf(exec['installHint'])
      const message = `The credential plugin ${oneLine(command, 200)} failed: ${oneLine(own.hide(why))}${hint ? ` ${oneLine(hint)}` : ''}`
      reject(new KubeconfigError(message))
    }
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => {
      said = `${said}${piece.toString()}`.slice(-2_000)
      // A device code or a question for the person at the terminal.
      if (process.stderr.isTTY) process.stderr.write(own.hide(piece.toString()).split('\n').map(harmless).join('\n'))
    })
    child.on('error', (error) => fail(error.message))
    child.on('close', (status, signal) => {
      if (status !== 0) return fail(said || `it ended with ${status ?? signal}`)
      clearTimeout(patience)
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
