import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { cacheFolder } from './build/cache.ts'
import { goBuild } from './build/go-build.ts'
import type { Program } from './build/program.ts'

// Calico v3.28.4 and eleven commits: the newest that the Go module proxy serves.
const calico = 'github.com/projectcalico/calico@v1.11.0-cni-plugin.0.20250813170300-a0db560f0520'
const kwok = 'sigs.k8s.io/kwok'

/** Kubernetes' own releases are stamped by their makefile; unstamped, every answer of the API server would say v0.0.0. */
const kubernetesStamps = (version: string) => ({
  'k8s.io/component-base/version.gitVersion': version,
  'k8s.io/component-base/version.gitMajor': '1',
  'k8s.io/component-base/version.gitMinor': version.split('.')[1] ?? '',
})

/** Each is a module of its own, whose replacements are those of Kubernetes' go.mod, with its staging modules at their releases. */
const kubeProxy = (version: string): Program => ({
  folder: `kube-proxy/${version}`,
  package: 'k8s.io/kubernetes/cmd/kube-proxy',
  stamps: kubernetesStamps(version),
  cost: '1 to 3 minutes the first time',
  manifests: [],
})

const programs = {
  kubelab: {
    folder: 'kubelab',
    package: '.',
    stamps: kubernetesStamps('v1.36.3'),
    cost: '4 to 8 minutes and 3 GB of Go build cache the first time',
    manifests: [
      { module: kwok, from: 'kustomize/crd/bases', to: 'kwok-crds' },
      { module: kwok, from: 'kustomize/stage/node/fast', to: 'kwok-node-stages' },
      { module: kwok, from: 'kustomize/stage/pod/fast', to: 'kwok-pod-stages' },
      { module: calico, from: 'libcalico-go/config/crd', to: 'calico-crds' },
      { module: calico, from: 'charts/tigera-operator/crds', to: 'operator-crds' },
    ],
  },
  'aws-iam-authenticator': {
    folder: 'authenticator',
    package: 'sigs.k8s.io/aws-iam-authenticator/cmd/aws-iam-authenticator',
    stamps: {},
    cost: '1 to 3 minutes the first time',
    manifests: [],
  },
  oracle: { folder: 'oracle', package: '.', stamps: {}, cost: '1 to 3 minutes the first time', manifests: [] },
  'calico-apiserver': {
    folder: 'calico-apiserver',
    package: '.',
    stamps: {},
    cost: '1 to 3 minutes the first time',
    manifests: [],
  },
  felix: {
    folder: 'felix',
    package: '.',
    stamps: {},
    cost: '2 to 6 minutes the first time',
    manifests: [],
    environment: { CGO_ENABLED: '0' },
    // Its go.mod cannot be tidied: a dependency that only Windows needs is not to be had from the Go module proxy.
    flags: ['-mod=mod'],
  },
  'kube-proxy': kubeProxy('v1.36.3'),
  'kube-proxy-v1.21.14': kubeProxy('v1.21.14'),
  'kube-proxy-v1.24.17': kubeProxy('v1.24.17'),
  'kube-proxy-v1.25.16': kubeProxy('v1.25.16'),
  'kube-proxy-v1.30.14': kubeProxy('v1.30.14'),
  'kube-proxy-v1.33.5': kubeProxy('v1.33.5'),
  guest: { folder: 'machine/guest', package: '.', stamps: {}, cost: 'seconds', manifests: [] },
} satisfies Record<string, Program>

export type ProgramName = keyof typeof programs
/** What the tests run on. */
export const testedPrograms: readonly ProgramName[] = ['kubelab', 'aws-iam-authenticator', 'oracle', 'calico-apiserver']
export const allPrograms = Object.keys(programs) as ProgramName[]
/** Of kube-proxy, by its version: before and after it stopped falling back to iptables (1.26), and what EKS runs. */
export const kubeProxies: Readonly<Record<string, ProgramName>> = {
  'v1.21.14': 'kube-proxy-v1.21.14',
  'v1.24.17': 'kube-proxy-v1.24.17',
  'v1.25.16': 'kube-proxy-v1.25.16',
  'v1.30.14': 'kube-proxy-v1.30.14',
  'v1.33.5': 'kube-proxy-v1.33.5',
  'v1.36.3': 'kube-proxy',
}

/** The path of a lab program, from the folder `LAB_BIN` or else from the cache; undefined where it must be built first. */
export function findBinary(name: ProgramName): string | undefined {
  const given = process.env['LAB_BIN']
  const folders = [...(given ? [given] : []), cacheFolder(name, programs[name])]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** As `findBinary`, but builds what is missing, with its progress on stderr. Brings Go first where there is none; throws where that cannot be. */
export async function buildBinary(name: ProgramName): Promise<string> {
  return findBinary(name) ?? (await goBuild(name, programs[name], cacheFolder(name, programs[name])))
}

/** As `findBinary`, but throws with what to run where there is none. */
export function requireBinary(name: ProgramName): string {
  const found = findBinary(name)
  if (found !== undefined) return found
  throw new Error(
    `The lab's ${name} is not there yet: run \`npm run lab -- build\` (${programs[name].cost}), or set LAB_BIN to a folder that holds it.`,
  )
}

export type ManifestSet = (typeof programs.kubelab.manifests)[number]['to']

/** The Kubernetes objects in the YAML files that lie beside `kubelab`. */
export function readManifests(kubelab: string, set: ManifestSet): KubernetesObject[] {
  const folder = join(dirname(kubelab), 'manifests', set)
  return yamlFiles(folder)
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document): unknown => document.toJS())
    .filter(isKubernetesObject)
}

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  spec?: object
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  } catch (cause) {
    const hint =
      '`npm run lab -- build --into FOLDER`, on a machine that can build, fills a folder for LAB_BIN with all that is needed.'
    throw new Error(`${folder} is missing. ${hint}`, { cause })
  }
}

// A kustomization.yaml lies among the manifests and has no name.
function isKubernetesObject(value: unknown): value is KubernetesObject {
  return typeof value === 'object' && value !== null && 'metadata' in value
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
