import { clientOf, operation } from './client.ts'
import { jsonRpc } from './json-rpc.ts'

export const GetSecretValueCommand = /* @__PURE__ */ operation('secretsmanager.GetSecretValue')

const about = { service: 'secretsmanager', serviceId: 'Secrets Manager' }
export const SecretsManagerClient = /* @__PURE__ */ clientOf(/* @__PURE__ */ jsonRpc(about, { version: '1.1' }))
