import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isStatus } from '../admin-client.ts'
import { requireBinary } from '../binaries.ts'
import { freePorts } from '../loopback.ts'
import { type LabProcess, startProcess, untilReady } from '../processes.ts'
import { calicoApiArguments } from './arguments.ts'
import { createIfAbsent } from './crds.ts'
import type { ControlPlane } from './start.ts'

/** Calico's own aggregated API server beside a real control plane: it serves `projectcalico.org/v3`. */
export interface CalicoApi {
  readonly logFile: string
  /** Resolves when the API server passes requests on to it. Does nothing while it runs. */
  start(): Promise<void>
  /** SIGKILL. It stays registered: its group is still listed, and requests for it are answered with 503. */
  stop(): Promise<void>
  /** From now on nobody serves the group: 404. What was written through it stays where it is stored. */
  unregister(): Promise<void>
}

const namespace = 'calico-system'
const service = 'calico-api'
const group = '/apis/projectcalico.org/v3'
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices'
const served = z.object({ groups: z.array(z.object({ name: z.string() })) })

/** Started and registered. Calico's definitions must be there already, and the `calico-apiserver` binary. */
export async function serveCalicoApi(cluster: ControlPlane): Promise<CalicoApi> {
  const command = requireBinary('calico-apiserver')
  const [port = 0] = await freePorts(1)
  const certificate = await servingCertificate(cluster)
  const { files, kubeconfig } = cluster
  const logFile = join(files.folder, 'calico-apiserver.log')
  const args = calicoApiArguments({ files, kubeconfig, port, ...certificate })
  let running: LabProcess | undefined
  const api: CalicoApi = {
    logFile,
    start: async () => {
      if (running && !running.isGone()) return
      const env = { DATASTORE_TYPE: 'kubernetes', KUBECONFIG: kubeconfig }
      running = startProcess({ name: 'calico-apiserver', command, args, logFile, env })
      await register(cluster, port)
      await untilReady(running, async () => (await cluster.request('GET', group)) !== undefined)
    },
    stop: async () => {
      await running?.kill()
    },
    unregister: () => unregister(cluster),
  }
  try {
    await api.start()
  } catch (error) {
    await api.stop()
    throw error
  }
  return api
}

/** For the name under which the API server asks for a Service, so that it can tell that it has found the right one. */
async function servingCertificate({ files }: ControlPlane): Promise<{ cert: string; key: string }> {
  const dnsNames = [`${service}.${namespace}.svc`]
  const { certPem, keyPem } = await files.authority.issue({ commonName: service, usage: 'server', dnsNames })
  const [cert, key] = [join(files.folder, 'calico-apiserver.crt'), join(files.folder, 'calico-apiserver.key')]
  writeFileSync(cert, certPem)
  writeFileSync(key, keyPem, { mode: 0o600 })
  return { cert, key }
}

/** Through a Service that only names this machine: nothing here routes to the addresses that other Services have. */
async function register(cluster: ControlPlane, port: number): Promise<void> {
  const metadata = { name: namespace }
  await createIfAbsent(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
  await createIfAbsent(cluster, `/api/v1/namespaces/${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service },
    spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
  })
  await createIfAbsent(cluster, apiServices, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v3.projectcalico.org' },
    spec: {
      group: 'projectcalico.org',
      version: 'v3',
      groupPriorityMinimum: 1500,
      versionPriority: 200,
      caBundle: Buffer.from(cluster.files.authority.certPem).toString('base64'),
      service: { name: service, namespace, port },
    },
  })
}

async function unregister(cluster: ControlPlane): Promise<void> {
  for (const path of [`${apiServices}/v3.projectcalico.org`, `/api/v1/namespaces/${namespace}/services/${service}`]) {
    await cluster.request('DELETE', path).catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error
    })
  }
  const isListed = async () =>
    served.parse(await cluster.request('GET', '/apis')).groups.some(({ name }) => name === 'projectcalico.org')
  while (await isListed()) await sleep(20)
}
