import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../../shared/domain/grant/objects.ts'
import { Failure } from '../failure.ts'
import { ownFile } from '../own-file.ts'

/** The namespace of calico-node: `calico-system` with the operator, `kube-system` if installed by manifest. */
export type Install = 'operator' | 'manifest'

export interface Chosen {
  /** With the permissions that `sync` and the deployment need for changes. */
  changes: boolean
  /** Admission policies, for Kubernetes 1.30 and later. */
  guard: boolean
  /** Absent: documents for both. */
  install?: Install | undefined
  /** Users and groups that get the same permissions as our groups. */
  more?: readonly Subject[]
}

interface Subject {
  kind: string
  name: string
}

export interface Document {
  /** The text in infra/kubernetes, with the reason for each permission. */
  text: string
  manifest: Manifest
}

/** The files of the repository are the ones that are installed, printed and applied: there is no second copy. */
export const documents = async ({ changes, guard, install, more = [] }: Chosen): Promise<Document[]> => {
  const all = (await documentsIn('rbac.yaml')).map((it) => grantedTo(it, more))
  const rights = all.filter(({ text, manifest }) => (changes || !isForChanges(text)) && isFor(install, manifest))
  // The policies are needed only together with the permissions for changes.
  return changes && guard ? [...rights, ...(await documentsIn('guard.yaml'))] : rights
}

export const manifestsOf = async (chosen: Chosen): Promise<Manifest[]> =>
  (await documents(chosen)).map(({ manifest }) => manifest)

const documentsIn = async (name: 'rbac.yaml' | 'guard.yaml'): Promise<Document[]> => {
  const { readFile } = await import('node:fs/promises')
  const whole = await readFile(ownFile(`infra/kubernetes/${name}`), 'utf8').catch(() => {
    throw new Failure(`infra/kubernetes/${name} is missing from this installation.`, 'install calico-ipvs-sync again')
  })
  return withoutHead(whole)
    .split(/^---\n/m)
    .map((text) => ({ text, manifest: parseAllDocuments(text)[0]?.toJS() as Manifest }))
}

/** The other subjects and the comments do not change. */
const grantedTo = (it: Document, more: readonly Subject[]): Document => {
  if (more.length === 0 || !('subjects' in it.manifest)) return it
  const [document] = parseAllDocuments(it.text)
  for (const subject of more) document?.addIn(['subjects'], { apiGroup: 'rbac.authorization.k8s.io', ...subject })
  return { text: document?.toString({ lineWidth: 0 }) ?? it.text, manifest: document?.toJS() as Manifest }
}

/** The first lines describe the file for readers of the repository. */
const withoutHead = (whole: string): string => whole.slice(whole.indexOf('\n\n') + 2)

const isForChanges = (text: string): boolean => /^# \[changes\]$/m.test(text)

const operatorsNamespace = 'calico-system'

const isFor = (install: Install | undefined, { metadata: { namespace } }: Manifest): boolean =>
  install !== 'manifest' || namespace !== operatorsNamespace
