import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import type { Evidence } from '../report.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'

/** A tool that writes the object from its own source, so that it would revert our change. */
export interface Owner {
  tool: 'Argo CD' | 'Flux' | 'Helm' | 'Terraform'
  evidence: Evidence
}

interface Mark {
  tool: Owner['tool']
  labels: readonly string[]
  annotations: readonly string[]
  /** Value of `app.kubernetes.io/managed-by`, in lower case. */
  managedBy: string
  /** Field managers; they count only if they own the field that would be written. */
  managers: RegExp
}

// kubectl, calicoctl, the operator and unknown managers do not reconcile this object. Flux is checked before Helm,
// because its helm-controller sets Helm's labels too.
const marks: readonly Mark[] = [
  {
    tool: 'Argo CD',
    labels: ['argocd.argoproj.io/instance'],
    annotations: ['argocd.argoproj.io/tracking-id', 'argocd.argoproj.io/installation-id'],
    managedBy: 'argocd',
    managers: /^argo-?cd/i,
  },
  {
    tool: 'Flux',
    labels: ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name'],
    annotations: ['kustomize.toolkit.fluxcd.io/checksum'],
    managedBy: 'flux',
    managers: /^(kustomize-controller|helm-controller|flux|gotk-)/i,
  },
  {
    tool: 'Helm',
    labels: [],
    annotations: ['meta.helm.sh/release-name'],
    managedBy: 'helm',
    managers: /^helm/i,
  },
  {
    tool: 'Terraform',
    labels: [],
    annotations: [],
    managedBy: 'terraform',
    managers: /^(terraform|hashicorp|opentofu)/i,
  },
]

export const ownerLabels: readonly string[] = [...marks.flatMap(({ labels }) => labels), 'app.kubernetes.io/managed-by']
export const ownerAnnotations: readonly string[] = marks.flatMap(({ annotations }) => annotations)

/** The tool that would revert a change of the range on this object. Undefined: no known tool. */
export function ownerOf(object: FelixObject): Owner | undefined {
  const seen = withCopy(object)
  for (const mark of marks) {
    const evidence = marked(seen, mark) ?? managed(object, mark)
    if (evidence) return { tool: mark.tool, evidence: { object: objectName(object.name), ...evidence } }
  }
  return undefined
}

type Found = Omit<Evidence, 'object'>
type Metadata = Pick<FelixObject, 'labels' | 'annotations'>

function marked({ labels, annotations }: Metadata, mark: Mark): Found | undefined {
  const label = mark.labels.find((it) => labels[it] !== undefined)
  if (label !== undefined) return { field: `metadata.labels[${label}]`, value: labels[label] ?? '' }
  const annotation = mark.annotations.find((it) => annotations[it] !== undefined)
  if (annotation !== undefined)
    return { field: `metadata.annotations[${annotation}]`, value: annotations[annotation] ?? '' }
  const by = labels['app.kubernetes.io/managed-by']
  return by?.toLowerCase() === mark.managedBy
    ? { field: 'metadata.labels[app.kubernetes.io/managed-by]', value: by }
    : undefined
}

function managed({ managedFields }: FelixObject, mark: Mark): Found | undefined {
  const found = managedFields.find(({ manager, fields }) => mark.managers.test(manager) && holdsRange(fields))
  if (!found) return undefined
  return { field: 'metadata.managedFields[].manager', value: found.manager, ...(found.time && { at: found.time }) }
}

const inner = (fields: unknown, key: string): unknown =>
  typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>)[key] : undefined

const holdsRange = (fields: unknown): boolean =>
  inner(inner(fields, 'f:spec'), 'f:kubeNodePortRanges') !== undefined ||
  inner(inner(inner(fields, 'f:metadata'), 'f:annotations'), `f:${rangeAnnotation}`) !== undefined

/**
 * The JSON copy of the v3 object's metadata, which Calico stores on the object, counts like the object's own
 * metadata.
 */
function withCopy({ labels, annotations }: FelixObject): Metadata {
  const text = annotations['projectcalico.org/metadata']
  if (text === undefined) return { labels, annotations }
  try {
    const copy = JSON.parse(text) as Partial<Metadata> | null
    return { labels: { ...labels, ...copy?.labels }, annotations: { ...annotations, ...copy?.annotations } }
  } catch {
    return { labels, annotations }
  }
}
