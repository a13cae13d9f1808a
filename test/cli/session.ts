import type { Keyring } from '../../lab/aws/keyring.ts'

/** The environment of somebody in a session of the role, the same session each time. */
export const sessions = (
  keyring: Keyring,
  endpoints: () => NodeJS.ProcessEnv,
): ((role: string) => NodeJS.ProcessEnv) => {
  const known = new Map<string, NodeJS.ProcessEnv>()
  const begin = (role: string): NodeJS.ProcessEnv => {
    const { accessKeyId, secretAccessKey, sessionToken } = keyring.forRole(role, 'alice')
    return {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      ...endpoints(),
    }
  }
  return (role) => {
    const env = known.get(role) ?? begin(role)
    known.set(role, env)
    return env
  }
}
