import { describe, expect, test } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTemplate, resolveTemplate } from '../../../lab/aws/template.ts'

const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: 'http://127.0.0.1:4100' }
const queue = { Type: 'AWS::SQS::Queue', Properties: {} }

const resolveStack = (template: object, parameters: Record<string, string> = {}, folder = tmpdir()) =>
  resolveTemplate({ template: { ...template }, folder, stackName: 'Test' }, at, parameters)

/** What a value of the template becomes, as a property of some resource beside a queue, a topic and a function. */
function valueOf(value: unknown, more: object = {}, parameters: Record<string, string> = {}): unknown {
  const Resources = {
    Work: queue,
    Steps: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
    Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'given' } },
    Notices: { Type: 'AWS::SNS::Topic' },
    Fn: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'evaluate' } },
    Thing: { Type: 'AWS::Some::Thing', Properties: { Value: value, Kept: 'x' } },
  }
  const stack = resolveStack({ Resources, ...more }, parameters)
  return stack.ofType('AWS::Some::Thing')[0]?.properties['Value']
}

const conditions = { Conditions: { InEurope: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } } }

describe('a template', () => {
  test.each<[string, unknown, unknown]>([
    ['Ref of a queue: its URL', { Ref: 'Work' }, 'http://127.0.0.1:4100/000000000000/Test-Work'],
    ['Ref of a FIFO queue', { Ref: 'Steps' }, 'http://127.0.0.1:4100/000000000000/Test-Steps.fifo'],
    ['Ref of a queue with a name', { Ref: 'Named' }, 'http://127.0.0.1:4100/000000000000/given'],
    ['the ARN of a queue', { 'Fn::GetAtt': ['Work', 'Arn'] }, 'arn:aws:sqs:eu-west-1:000000000000:Test-Work'],
    ['the name of a queue', { 'Fn::GetAtt': 'Work.QueueName' }, 'Test-Work'],
    ['Ref of a topic: its ARN', { Ref: 'Notices' }, 'arn:aws:sns:eu-west-1:000000000000:Test-Notices'],
    ['Ref of a function: its name', { Ref: 'Fn' }, 'evaluate'],
    [
      'the ARN of a function',
      { 'Fn::GetAtt': ['Fn', 'Arn'] },
      'arn:aws:lambda:eu-west-1:111122223333:function:evaluate',
    ],
    ['a pseudo parameter', { Ref: 'AWS::AccountId' }, '111122223333'],
    ['Sub', { 'Fn::Sub': '${AWS::Partition}:${Fn}:${Work.QueueName}:${!kept}' }, 'aws:evaluate:Test-Work:${kept}'],
    ['Sub with values of its own', { 'Fn::Sub': ['${a}-${AWS::Region}', { a: { Ref: 'Fn' } }] }, 'evaluate-eu-west-1'],
    ['Join', { 'Fn::Join': ['', ['{"account":"', { Ref: 'AWS::AccountId' }, '"}']] }, '{"account":"111122223333"}'],
    ['Select of a Split', { 'Fn::Select': [2, { 'Fn::Split': [':', { Ref: 'Notices' }] }] }, 'sns'],
    ['If that holds', { 'Fn::If': ['InEurope', { Ref: 'Fn' }, 'no'] }, 'evaluate'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'memory'] }, 512],
    ['a list, without what is no value', ['a', { Ref: 'AWS::NoValue' }, { Ref: 'Fn' }], ['a', 'evaluate']],
    ['an object', { a: { b: { Ref: 'Fn' } } }, { a: { b: 'evaluate' } }],
  ])('%s', (_name, value, expected) => {
    expect(valueOf(value, { ...conditions, Mappings: { Sizes: { 'eu-west-1': { memory: 512 } } } })).toEqual(expected)
  })

  test('a property that is no value is absent', () => {
    expect(valueOf({ 'Fn::If': ['InEurope', { Ref: 'AWS::NoValue' }, 'x'] }, conditions)).toBeUndefined()
  })

  test('parameters are those given, else their defaults', () => {
    const Parameters = { Level: { Type: 'String', Default: 'INFO' } }
    expect(valueOf({ Ref: 'Level' }, { Parameters })).toBe('INFO')
    expect(valueOf({ Ref: 'Level' }, { Parameters }, { Level: 'DEBUG' })).toBe('DEBUG')
  })

  test('what it does not say is an error that names it', () => {
    expect(() => valueOf({ Ref: 'Nowhere' })).toThrow('Ref Nowhere')
    expect(() => valueOf({ 'Fn::GetAtt': ['Nowhere', 'Arn'] })).toThrow('Fn::GetAtt Nowhere.Arn')
    expect(() => valueOf({ 'Fn::Transform': {} })).toThrow('Fn::Transform')
  })

  test('resources whose condition does not hold are not there', () => {
    const Conditions = { Never: { 'Fn::Not': [{ 'Fn::Equals': ['a', 'a'] }] } }
    const stack = resolveStack({ Conditions, Resources: { Work: queue, Other: { ...queue, Condition: 'Never' } } })
    expect(stack.resources.map(({ logicalId }) => logicalId)).toEqual(['Work'])
  })

  test('labels are the names the stack’s author gave', () => {
    const Metadata = { 'aws:cdk:path': 'Test/Evaluations/Resource' }
    const stack = resolveStack({ Resources: { EvaluationsF0E54255: { ...queue, Metadata }, PlainA1B2C3D4: queue } })
    expect(stack.resources.map(({ label }) => label)).toEqual(['Evaluations', 'Plain'])
  })

  test('code lies where the metadata says, or else the assets’ manifest', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-aws-'))
    const files = { abc: { source: { path: 'asset.abc', packaging: 'zip' } } }
    writeFileSync(join(folder, 'Test.assets.json'), JSON.stringify({ files }))
    const code = (S3Key: string) => ({ Type: 'AWS::Lambda::Function', Properties: { Code: { S3Key } } })
    const One = { ...code('x.zip'), Metadata: { 'aws:asset:path': 'asset.one' } }
    const stack = resolveStack({ Resources: { One, Two: code('abc.zip'), Three: code('lost.zip') } }, {}, folder)
    const [one, two, three] = stack.resources.map((resource) => () => stack.assetOf(resource))
    expect([one?.(), two?.()]).toEqual([join(folder, 'asset.one'), join(folder, 'asset.abc')])
    expect(three).toThrow('where the code of Three lies')
  })

  test('is asked for where there is none, and which where there are several', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-aws-'))
    expect(() => readTemplate({ assemblyDir: folder })).toThrow('synthesize the stack first')
    for (const name of ['Hub', 'Spoke']) writeFileSync(join(folder, `${name}.template.json`), '{"Resources":{}}')
    expect(() => readTemplate({ assemblyDir: folder })).toThrow('say which stack')
    expect(readTemplate({ assemblyDir: folder, stackName: 'Spoke' }).stackName).toBe('Spoke')
  })
})
