import { describe, expect, test } from '@jest/globals'
import { cpuTime } from '../cpu-time.ts'
import { harmless, plain, plainAll, plainLines, safeJson, unlinked } from '../../shared/domain/plain.ts'
import { controlsIn, plantedControls, plantedSecrets, secretsIn } from '../hostile/planted-secrets.ts'

describe('text of others', () => {
  test.each(plantedControls.map((it) => [it.kind, it.text] as const))('holds no more %s', (_, text) => {
    for (const shown of [plain(text), harmless(text)])
      expect({ found: controlsIn(shown), lines: shown.split('\n').length }).toEqual({ found: [], lines: 1 })
    expect(controlsIn(safeJson({ text }, 2))).toEqual([])
    expect(JSON.parse(safeJson({ text }))).toEqual({ text })
  })

  test.each(plantedSecrets.map((it) => [it.kind, it.text] as const))('holds no more %s', (_, text) => {
    for (const around of [text, `said: ${text}`, `a "${text}" b`, `time="x" level=info msg=${text}`, `(${text}).`]) {
      expect({ around, found: secretsIn(plain(around)) }).toEqual({ around, found: [] })
      expect(secretsIn(plainLines(around).join('\n'))).toEqual([])
    }
  })

  test('is one line, with a space where a line ended', () => expect(harmless('a\r\n\tb\u2029c')).toBe('a b c'))

  test.each([
    ['see https://evil.example/x', 'see https[:]//evil.example/x'],
    ['see WWW.evil.example', 'see WWW[.]evil.example'],
    ['mailto:a@evil.example', 'mailto[:]a@evil.example'],
  ])('is no link in a mail or a chat: %s', (text, shown) => expect(unlinked(text)).toContain(shown))

  test('keeps no short last line of a key without head and end', () => {
    const [key] = plantedSecrets.filter(({ kind }) => kind === 'a key without head and end')
    expect(plainLines(`${key?.text}\nc2hvcnRwbGFudGVm==`)).toEqual(['[PEM]'])
  })

  test.each([
    'calico-node',
    'ip-10-1-0-1.ec2.internal',
    'FelixConfiguration/node.ip-10-1-0-1.eu-central-1.compute.internal',
    'arn:aws:eks:eu-west-1:111122223333:cluster/prod-1',
    '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.33.3',
    'calico/node@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '403: nodes is forbidden: User "system:serviceaccount:kube-system:x" cannot list resource "nodes" in API group "" at the cluster scope',
    'AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: eks:DescribeCluster',
    'No token for the API server: the plugin aws failed',
    'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
    `kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge -p '{"metadata":{"annotations":{"config.projectcalico.org/KubeNodePortRanges":"20000:32767"}}}'`,
    '0123ABCD0123ABCD0123ABCD0123ABCD.gr7.eu-west-1.eks.amazonaws.com cannot be reached: connect ETIMEDOUT (ETIMEDOUT)',
    "No trusted connection to x: Hostname/IP does not match certificate's altnames (ERR_TLS_CERT_ALTNAME_INVALID)",
    '2026-01-01 00:00:00.000 [INFO][51] felix/int_dataplane.go 409: Creating internal dataplane driver.',
    'calico/node:v3.28.4@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'SHA-256 fingerprint\n'.trim() + ' ' + 'ab'.repeat(32),
    'ab'.repeat(32),
    'müller · größe 日本語 emoji 🙂',
  ])('of the usual kind stays as it is: %s', (text) => {
    expect(plain(text)).toBe(text)
  })

  test('is gone through in no time, however long', () => {
    const began = cpuTime()
    for (const piece of ['x', 'a-', 'aA1', '-----END ', 'A1b2C3d4 ', 'secret', '://', 'eyJ', '\u202e', ' \n', '::'])
      for (const clean of [
        plain(piece.repeat(100_000 / piece.length)),
        plainAll(piece.repeat(5_000_000 / piece.length)),
      ])
        expect(clean.length).toBeLessThan(300_000)
    expect(cpuTime() - began).toBeLessThan(5_000)
  })

  test('made plain once is plain', () => {
    for (const { text } of [...plantedControls, ...plantedSecrets]) expect(plain(plain(text))).toBe(plain(text))
  })
})
