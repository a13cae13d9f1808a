import { describe, expect, test } from '@jest/globals'
import { atLeast, parseVersion, versionOfImage } from '../../shared/domain/version.ts'

describe('a version of Calico', () => {
  test.each([
    ['v3.28.4', 'v3.28.4'],
    ['3.32.1', 'v3.32.1'],
    ['v3.29.0-eks-1', 'v3.29.0'],
    [' v3.21.6\n', 'v3.21.6'],
    ['v3.33.0-0.dev-12-gabcdef', 'v3.33.0'],
  ])('%j is %s', (text, expected) => {
    expect(parseVersion(text)?.text).toBe(expected)
  })

  test.each(['', 'master', 'latest', 'v3.28', 'release-calient-v3.20', 'v4.0.0', 'v1.40.15', 'v3.28.4.5', undefined])(
    'cannot be read from %j',
    (text) => {
      expect(parseVersion(text)).toBeUndefined()
    },
  )

  test.each([
    ['v3.23.0', '3.23', true],
    ['v3.22.9', '3.23', false],
    ['v3.30.0', '3.4', true],
    ['v3.28.4', '3.28.5', false],
    ['v3.28.4', '3.28.4', true],
    ['v2.6.12', '3.0', false],
  ])('%s is at least %s: %s', (text, wanted, expected) => {
    const version = parseVersion(text)
    expect(version && atLeast(version, wanted)).toBe(expected)
  })
})

describe('the version an image names', () => {
  test.each([
    ['quay.io/calico/node:v3.28.4', 'v3.28.4'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/calico/node:v3.29.1', 'v3.29.1'],
    ['registry.local:5000/mirror/calico-node:v3.32.1@sha256:0123', 'v3.32.1'],
    ['docker.io/calico/node:v3.26.1-arm64', 'v3.26.1'],
  ])('%s: %s', (image, expected) => {
    expect(versionOfImage(image)?.text).toBe(expected)
  })

  test.each([
    'quay.io/calico/node',
    'registry.local:5000/calico/node',
    'quay.io/calico/node@sha256:0123',
    'quay.io/calico/node:master',
    'my.registry/node:1.2.3',
    'my.registry/node:3.2.1',
    'quay.io/tigera/cnx-node:v3.19.2',
    'my.registry/cnx-node:v3.19.2',
  ])('%s names none', (image) => {
    expect(versionOfImage(image)).toBeUndefined()
  })
})
