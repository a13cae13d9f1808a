import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../../shared/domain/grant/objects.ts'
import { Failure } from '../failure.ts'
import { ownFile } from '../own-file.ts'

/** Where calico-node runs: an operator's is in `calico-system`, one installed by manifest in `kube-system`. */
export type Install = 'operator' | 'manifest'

export interface Chosen {
  /** With what `sync` and the deployment need to change something. */
  changes: boolean
  /** Admission policies, for Kubernetes 1.30 and later. */
  guard: boolean
  /** Absent: documents for both, as far as a namespace that is not there allows. */
  install?: Install | undefined
  /** Users and groups to whom the same is granted as to our groups. */
  more?: readonly Subject[]
}

interface Subject {
  kind: string
  name: string
}

export interface Document {
  /** As it stands in infra/kubernetes, with the reason for each right. */
  text: string
  manifest: Manifest
}

/** The files of the repository are the ones that are installed, printed and applied: there is no second copy. */
export const documents = async ({ changes, guard, install, more = [] }: Chosen): Promise<Document[]> => {
  const all = (await documentsIn('rbac.yaml')).map((it) => grantedTo(it, more))
  const rights = all.filter(({ text, manifest }) => (changes || !isForChanges(text)) && isFor(install, manifest))
  // What the policies guard is written by those alone who may change something.
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

/** The other subjects and the comments stay as they are. */
const grantedTo = (it: Document, more: readonly Subject[]): Document => {
  if (more.length === 0 || !('subjects' in it.manifest)) return it
  const [document] = parseAllDocuments(it.text)
  for (const subject of more) document?.addIn(['subjects'], { apiGroup: 'rbac.authorization.k8s.io', ...subject })
  return { text: document?.toString({ lineWidth: 0 }) ?? it.text, manifest: document?.toJS() as Manifest }
}

/** The first lines speak of the file to who reads it in the repository. */
const withoutHead = (whole: string): string => whole.slice(whole.indexOf('\n\n') + 2)

const isForChanges = (text: string): boolean => /^# \[changes\]$/m.test(text)

const operatorsNamespace = 'calico-system'

const isFor = (install: Install | undefined, { metadata: { namespace } }: Manifest): boolean =>
  install !== 'manifest' || namespace !== operatorsNamespace
