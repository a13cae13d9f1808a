import { randomBytes, randomUUID } from 'node:crypto'
import type { Context } from './context.ts'
import { type KubeObject, timestamp } from './object.ts'
import { groupVersionOf, type Resource } from './resources.ts'

/** A new object's identity, and none of what only the server or `/status` may set. */
export function newborn(context: Context, resource: Resource, body: KubeObject): KubeObject {
  const { resourceVersion: _ignored, managedFields: _also, ...metadata } = body.metadata
  const { status: _status, ...rest } = body
  const keepsStatus =
    resource.schema === undefined ? acceptsStatus(resource) : !resource.subresources.includes('status')
  return {
    ...(keepsStatus ? body : rest),
    apiVersion: groupVersionOf(resource),
    kind: resource.kind,
    metadata: {
      ...metadata,
      name: metadata.name ?? nameFrom(metadata.generateName),
      uid: randomUUID(),
      creationTimestamp: timestamp(context.now()),
      ...(resource.generation ? { generation: 1 } : {}),
    },
  }
}

/** The real server lets nobody but `/status` set these, except on nodes, which may be registered with it. */
const acceptsStatus = ({ plural }: Resource): boolean => plural === 'nodes' || plural === 'events'

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'

const nameFrom = (generateName: string | undefined): string =>
  generateName === undefined
    ? ''
    : generateName + [...randomBytes(5)].map((byte) => suffixLetters[byte % suffixLetters.length]).join('')
