import { clientOf, operation } from './client.ts'
import { jsonRpc } from './json-rpc.ts'

export const PutEvaluationsCommand = /* @__PURE__ */ operation('StarlingDoveService.PutEvaluations')
export const GetComplianceDetailsByConfigRuleCommand = /* @__PURE__ */ operation(
  'StarlingDoveService.GetComplianceDetailsByConfigRule',
)

const about = { service: 'config', serviceId: 'Config Service' }

/** Times are seconds since 1970. Of answers no time is read. */
export const ConfigServiceClient = /* @__PURE__ */ clientOf(
  /* @__PURE__ */ jsonRpc(about, {
    version: '1.1',
    written: (_, it) => (it instanceof Date ? it.getTime() / 1_000 : it),
  }),
)
