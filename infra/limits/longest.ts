/** The longest values of CloudFormation's pseudo parameters. */
const known: Record<string, string> = {
  'AWS::AccountId': '1'.repeat(12),
  'AWS::Region': 'ap-southeast-1',
  'AWS::Partition': 'aws-us-gov',
  'AWS::URLSuffix': 'amazonaws.com.cn',
}

/** `arn:aws-us-gov:SERVICE:REGION:ACCOUNT:KIND/` and the random end of a name. */
const aroundName = 90

/**
 * A value of a template with the longest possible value of every reference, because limits apply to the deployed
 * text. Names that CloudFormation generates consist of the stack's name, the logical id and a random suffix.
 */
export const longest = (value: unknown, stackName: string): unknown => {
  if (Array.isArray(value)) return value.map((one) => longest(one, stackName))
  if (typeof value !== 'object' || value === null) return value
  const [[name, inner] = ['', undefined], ...others] = Object.entries(value)
  if (others.length > 0 || !isFunction(name))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, longest(one, stackName)]))
  return textOf(name, inner, stackName)
}

const isFunction = (name: string): boolean => name === 'Ref' || name.startsWith('Fn::')

const textOf = (name: string, inner: unknown, stackName: string): string => {
  if (name === 'Ref' && typeof inner === 'string' && inner in known) return known[inner] ?? ''
  if (name === 'Fn::Join' && Array.isArray(inner)) {
    const [separator, parts] = inner as [string, unknown[]]
    return parts.map((part) => String(longest(part, stackName))).join(separator)
  }
  const logicalId = String(Array.isArray(inner) ? inner[0] : inner)
  return 'x'.repeat(aroundName + stackName.length + logicalId.length)
}

/** Without white space, as IAM and similar services count. */
export const lengthOf = (value: unknown, stackName: string): number => JSON.stringify(longest(value, stackName)).length
