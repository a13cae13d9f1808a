/** A line as EKS writes it; of most objects nothing but who, what and when. */
export const auditLine = (verb: string, resource: string, name: string | undefined, more: object = {}) => ({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID: '5f1c9e1a-0000-4000-8000-000000000000',
  stage: 'ResponseComplete',
  requestURI: `/apis/x/${resource}/${name ?? ''}?fieldManager=kubectl-edit`,
  verb,
  user: {
    username: 'arn:aws:sts::111122223333:assumed-role/admin/jo',
    groups: ['system:masters', 'system:authenticated'],
  },
  sourceIPs: ['203.0.113.7'],
  userAgent: 'kubectl/v1.35.2 (linux/arm64) kubernetes/1a2b3c4',
  objectRef: { resource, ...(name !== undefined && { name }), apiVersion: 'v1', ...more },
  responseStatus: { metadata: {}, code: 200 },
  requestReceivedTimestamp: '2026-11-29T10:00:00.000000Z',
  stageTimestamp: '2026-11-29T10:00:00.010000Z',
})
