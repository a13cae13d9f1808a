import { describe, expect, test } from '@jest/globals'
import { daemonSetOf } from '../../shared/clients/kube/daemon-sets.ts'
import { podLists } from '../../shared/workflows/observe/pods.ts'

const set = (image: string, container: object = {}, spec: object = {}) =>
  daemonSetOf({
    metadata: { namespace: 'kube-system', name: 'it', uid: 'u', annotations: { secret: 'x' } },
    spec: {
      template: {
        spec: {
          hostNetwork: true,
          ...spec,
          containers: [
            { name: 'a', image: 'pause' },
            { name: 'b', image, ...container },
          ],
        },
      },
    },
    status: { desiredNumberScheduled: 3 },
  })
const connmark = 'AWS_VPC_K8S_CNI_CONNMARK'
const cni = '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.0'

describe('a DaemonSet that marks packets beside Calico', () => {
  test.each([
    [cni, 'vpc-cni'],
    ['quay.io/cilium/cilium:v1.17.0@sha256:abc', 'cilium'],
    ['tailscale/tailscale:stable', 'tailscale'],
    ['weaveworks/weave-kube:2.8.1', 'weave'],
  ])('is known by its image: %s', (image, neighbour) => {
    expect(set(image)).toMatchObject({ role: 'neighbour', neighbour, name: 'it', status: { desired: 3 } })
  })

  test('is kept with the one variable that decides, and nothing else that could be a secret', () => {
    const env = [
      { name: 'TOKEN', value: 'hidden' },
      { name: connmark, value: '0x20000' },
    ]
    const found = set(cni, { env, args: ['--token=hidden'] })
    expect(found?.template.env).toEqual([{ name: connmark, value: '0x20000' }])
    expect(JSON.stringify(found)).not.toMatch(/hidden|secret/)
  })

  test.each([
    [{ env: [{ name: connmark, valueFrom: { secretKeyRef: {} } }] }, { unknown: 'secretKeyRef' }],
    [{ envFrom: [{ prefix: 'x', secretRef: { name: 's' } }] }, { unknown: 'secretRef' }],
  ])('whose variable comes from elsewhere says so: %j', (container, from) => {
    expect(set(cni, container)?.template.env).toEqual([{ name: connmark, from }])
  })

  test.each([
    ['in a network of its own', { hostNetwork: false }],
    ['on Windows', { nodeSelector: { 'kubernetes.io/os': 'windows' } }],
  ])('%s is none', (_, spec) => {
    expect(set(cni, {}, spec)).toBeUndefined()
  })

  test('costs no further request: its pods are not listed', () => {
    expect(podLists([set(cni)].flatMap((it) => it ?? []))).toEqual([])
  })
})
