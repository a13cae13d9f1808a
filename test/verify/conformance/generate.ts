import fc from 'fast-check'
import {
  actionText,
  anyText,
  boolText,
  interfaceText,
  maskText,
  pick,
  portItem,
  portText,
  someCase,
} from './generate-texts.ts'
import type { Configuration, RawObject } from './oracle.ts'

/** Each parameter with the texts that matter to its parser. */
const texts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  KubeNodePortRanges: portText,
  IptablesMarkMask: maskText,
  BPFEnabled: boolText,
  WireguardEnabled: boolText,
  WireguardEnabledV6: boolText,
  UseInternalDataplaneDriver: boolText,
  InterfaceExclude: interfaceText,
  DefaultEndpointToHostAction: actionText,
  IptablesFilterAllowAction: pick('ACCEPT', 'Return', 'accept', 'DROP'),
  ChainInsertMode: pick('insert', 'Append', 'prepend'),
  InterfacePrefix: pick('cali', 'eni', 'cali,eni', 'cali, eni', '', 'toolongforaninterface'),
  BPFLogLevel: pick('off', 'Info', 'loud'),
  NFTablesMode: pick('Enabled', 'Auto'),
  Unknown: anyText,
}
// Those that stop Felix are rare, or they would hide all else.
const names = fc.oneof(
  { weight: 8, arbitrary: pick('KubeNodePortRanges') },
  {
    weight: 6,
    arbitrary: pick(
      'BPFEnabled',
      'WireguardEnabled',
      'WireguardEnabledV6',
      'UseInternalDataplaneDriver',
      'InterfaceExclude',
    ),
  },
  { weight: 2, arbitrary: pick('DefaultEndpointToHostAction', 'NFTablesMode', 'Unknown') },
  { weight: 1, arbitrary: pick('IptablesMarkMask', ...Object.keys(texts)) },
)
const special = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  pick('none').chain(someCase),
  pick(' none', 'None '),
)

interface Setting {
  name: string
  text: string
}

const setting: fc.Arbitrary<Setting> = names.chain((name) =>
  fc.record({
    name: fc.constant(name),
    text: fc.oneof(
      { weight: 10, arbitrary: texts[name] ?? anyText },
      { weight: 1, arbitrary: special },
      { weight: 1, arbitrary: anyText },
    ),
  }),
)
const cased = setting.chain(({ name, text }) => someCase(name).map((spelled) => ({ name: spelled, text })))

const annotation = fc
  .tuple(
    pick(
      'config.projectcalico.org/',
      'config.projectcalico.org/',
      'config.projectcalico.org/',
      'Config.projectcalico.org/',
      '',
    ),
    cased,
  )
  .map(([prefix, it]) => [`${prefix}${it.name}`, it.text] as const)
const annotations = fc.array(annotation, { maxLength: 3 }).map((list) => Object.fromEntries(list))

const copy = fc.oneof(
  annotations.map((it) => JSON.stringify({ annotations: it, creationTimestamp: null })),
  annotations.map((it) =>
    JSON.stringify({ name: 'default', Annotations: it, creationTimestamp: '2026-01-02T03:04:05Z' }),
  ),
  pick(
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{}',
    '{"annotations":null}',
    '{"annotations":[]}',
    '{"annotations":{"a":1}}',
    '{"annotations":{"a":null}}',
  ),
  pick(
    '{"creationTimestamp":"yesterday"}',
    '{"generation":1.5}',
    '{"labels":{"a":"b"},"uid":"u"}',
    '{"finalizers":["a",1]}',
    '{"other":[1]}',
  ),
)

const fromNumberOrText = fc.oneof(
  { weight: 6, arbitrary: pick<unknown>('30000:32767', '30000:39999', 31000, '31000', 40000) },
  { weight: 1, arbitrary: portItem },
  pick<unknown>(0, 65535, 65536, -1, 1.5, null, true, {}, [], ''),
)
const wrong = pick<unknown>(null, 0, 1, 'x', '', true, [], {}, 1.5)
const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: wrong })

const durationText = pick(
  '30s',
  '1m30s',
  '0',
  '1.5h',
  '.5s',
  '5.s',
  '100ms',
  '1µs',
  '-1h',
  '2562047h47m16s',
  '2562048h',
  '1',
  '1 s',
  '1d',
  '',
  '.s',
)
// Only whether they decode: an unknown protocol stops Felix later, which our engine does not tell.
const protocolPort = fc.record(
  {
    protocol: fc.oneof({ weight: 9, arbitrary: pick<unknown>('TCP', 'udp') }, pick<unknown>(6, [])),
    port: pick<unknown>(22, 0, 65535, 65536, -1, '22', 1.5),
    net: pick<unknown>('10.0.0.0/8', 1),
  },
  { requiredKeys: ['protocol'] },
)

const spec: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    kubeNodePortRanges: mostly(fc.array(fromNumberOrText, { maxLength: 4 })),
    iptablesMarkMask: mostly(pick<unknown>(0xffff0000, 0x7fff1f00, 0xffff0300, 1, 0xffffffff, 0x100000000, -65536)),
    bpfEnabled: mostly(fc.boolean()),
    wireguardEnabled: mostly(fc.boolean()),
    wireguardEnabledV6: mostly(fc.boolean()),
    useInternalDataplaneDriver: mostly(fc.boolean()),
    interfaceExclude: mostly(interfaceText),
    defaultEndpointToHostAction: mostly(pick('Drop', 'Accept', 'Return')),
    nftablesMode: pick('Auto', 'Enabled'),
    kubenodeportranges: fc.constant(['1:2']),
    natPortRange: mostly(pick<unknown>('30000:32767', 80, 'named')),
    reportingInterval: mostly(durationText),
    failsafeInboundHostPorts: mostly(fc.array(protocolPort, { maxLength: 2 })),
    healthTimeoutOverrides: mostly(
      fc.array(fc.record({ name: pick('a'), timeout: mostly(durationText) }), { maxLength: 1 }),
    ),
  },
  { requiredKeys: [] },
)
const sparse = spec
  .chain((whole) => fc.subarray(Object.entries(whole), { maxLength: Math.min(3, Object.keys(whole).length) }))
  .map((list) => Object.fromEntries(list))

const object = (name: string): fc.Arbitrary<RawObject> =>
  fc.record({ annotations, copied: fc.option(copy, { freq: 5 }), spec: sparse }).map((it) => ({
    metadata: {
      name,
      annotations: it.copied === null ? it.annotations : { ...it.annotations, 'projectcalico.org/metadata': it.copied },
    },
    spec: it.spec,
  }))

const variable = fc
  .tuple(pick('FELIX_', 'FELIX_', 'felix_', 'Felix_', 'CALICO_', 'FELIX'), cased)
  .map(([prefix, it]) => `${prefix}${it.name}=${it.text}`)

/** One node's configuration; most have something on `default`, fewer on the node itself and in the environment. */
export const configuration: fc.Arbitrary<Configuration> = fc
  .record({
    global: fc.option(object('default'), { freq: 8 }),
    host: fc.option(object('node.node-1'), { freq: 1 }),
    other: fc.option(pick('node.node-2', 'pool-a').chain(object), { freq: 1 }),
    env: fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, fc.array(variable, { maxLength: 3 })),
    file: fc.oneof({ weight: 3, arbitrary: fc.constant<Setting[]>([]) }, fc.array(cased, { maxLength: 2 })),
    v3: fc.boolean(),
  })
  .map(({ global, host, other, env, file, v3 }) => ({
    nodeName: 'node-1',
    objects: [global, host, other].filter((it) => it !== null),
    env,
    file: Object.fromEntries(file.map((it) => [it.name, it.text])),
    v3,
  }))
