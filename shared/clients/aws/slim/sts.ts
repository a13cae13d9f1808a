import { clientOf, operation } from './client.ts'
import { query, textIn } from './query.ts'

export const AssumeRoleCommand = /* @__PURE__ */ operation('AWSSecurityTokenServiceV20110615.AssumeRole')

const credentialsIn = (xml: string): object => {
  const Expiration = textIn(xml, 'Expiration')
  return {
    Credentials: {
      ...Object.fromEntries(['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((key) => [key, textIn(xml, key)])),
      ...(Expiration !== undefined && { Expiration: new Date(Expiration) }),
    },
  }
}

const about = { service: 'sts', serviceId: 'STS' }
export const STSClient = /* @__PURE__ */ clientOf(
  /* @__PURE__ */ query(about, { version: '2011-06-15', answer: credentialsIn }),
)
