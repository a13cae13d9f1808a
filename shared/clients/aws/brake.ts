import * as z from 'zod/mini'
import type { Action, BrakePosition } from '../../domain/policy/policy.ts'
import type { CredentialsProvider } from './eks-token.ts'
import { signedCall } from './signed-call.ts'

/** The deployment's brake: one SSM parameter that people set without a deployment. */
export interface Brake {
  /** Never throws: if the brake cannot be read, the result is `report`, with the reason. */
  read: () => Promise<BrakePosition>
  /** The command that sets it. */
  command: (position: Action) => string
}

export interface BrakeOptions {
  /** Name of the SSM parameter. */
  parameter: string
  region: string
  credentials: CredentialsProvider
  /** Instead of the endpoint of SSM. */
  endpoint?: string | undefined
}

const answer = z.object({ Parameter: z.object({ Value: z.string() }) })
const positions: readonly string[] = ['off', 'report', 'sync'] satisfies Action[]
const triesAtMost = 2

/** From a function's environment. */
export const brakeOf = (parameter: string, credentials: CredentialsProvider): Brake => {
  const { AWS_REGION: region = '', AWS_ENDPOINT_URL_SSM: endpoint } = process.env
  return brake({ parameter, region, credentials, endpoint })
}

export const brake = ({ parameter, ...place }: BrakeOptions): Brake => {
  const get = async (): Promise<string> => {
    const call = await signedCall({ service: 'ssm', protocol: '1.1', ...place }, 'AmazonSSM.GetParameter', {
      Name: parameter,
    })
    return answer.parse(call).Parameter.Value.trim().toLowerCase()
  }
  const unreadable = (why: string): BrakePosition => ({
    most: 'report',
    unreadable: `the brake (SSM parameter ${parameter}) ${why}`,
  })
  return {
    read: async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          const value = await get()
          return positions.includes(value) ? { most: value as Action } : unreadable('is none of off, report and sync')
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          if (tries >= triesAtMost) return unreadable(`cannot be read: ${why}`)
        }
      }
    },
    command: (position) =>
      `aws ssm put-parameter --name ${parameter} --value ${position} --overwrite --region ${place.region}`,
  }
}
