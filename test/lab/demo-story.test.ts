import { expect, test } from '@jest/globals'
import type { Moment } from '../../lab/aws/moment.ts'
import { tellStory } from '../../lab/demo/story.ts'

const mail = { kind: 'delivery', protocol: 'email', endpoint: 'a@example.com', subject: '[info] shop: in step' }
const slack = (text: string) => ({ kind: 'slack', at: 0, path: '/', body: { text } })

test('what comes to Slack alone is told by its words; what was mailed, too, is the same notice; cold starts are nobody’s concern', () => {
  const story = tellStory(() => {})
  const moments = [
    slack('shop: the first node is changed and well'),
    mail,
    slack('[info] shop: in step'),
    { kind: 'invocation', name: 'OnEvent', coldStart: 100 },
  ]
  for (const moment of moments) story.moment(moment as unknown as Moment)
  expect(story.lines.map((line) => line.replace(/^.* s {2}/, '').replace(/ +/, ' '))).toEqual([
    'Slack shop: the first node is changed and well',
    'e-mail [info] shop: in step (to a@example.com)',
    'Slack the same notice',
  ])
})
