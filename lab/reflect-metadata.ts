/**
 * @peculiar/x509 refuses to load without the metadata half of Reflect (its dependency injection, tsyringe, asks for it), but the
 * generators used here keep next to nothing in it. These few lines spare the lab a polyfill package.
 */
const kept = new WeakMap<object, Map<unknown, unknown>>()

const getOwnMetadata = (key: unknown, target: object): unknown => kept.get(target)?.get(key)

function getMetadata(key: unknown, target: object): unknown {
  const value = getOwnMetadata(key, target)
  const parent: unknown = Object.getPrototypeOf(target)
  return value ?? (typeof parent === 'object' && parent !== null ? getMetadata(key, parent) : undefined)
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const own = kept.get(target) ?? new Map<unknown, unknown>()
  kept.set(target, own.set(key, value))
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { defineMetadata, getMetadata, getOwnMetadata })
