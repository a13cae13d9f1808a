import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { writeNotices } from '../../lab/demo/notices.ts'
import { slackBody } from '../../shared/clients/slack-blocks.ts'

const folder = mkdtempSync(join(tmpdir(), 'notices-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('what people got is kept as their programs have it', () => {
  const subject = '[critical] prod-1 (111122223333 eu-west-1): rollout halted on n1'
  const text = 'prod-1: rollout halted on n1 <b>.\n\nAs of now.'
  const links = [{ label: 'Runbook', url: 'https://docs.example.com/#rollout-halted' }]
  const body = { ...slackBody({ schemaVersion: 1, subject, text, severity: 'critical', kind: 'halted', links }) }
  const to = { topicArn: 'arn:aws:sns:eu-west-1:111122223333:Notices', subject, message: text }
  const deliveries = [{ ...to, protocol: 'email', endpoint: 'ops@example.com' }]
  expect(writeNotices(folder, { deliveries, slack: [{ at: 0, path: '/', body }] })).toBe(1)
  const [mail = '', page, json] = readdirSync(folder).toSorted()
  expect([mail, page, json]).toEqual([
    'mail-01-critical-prod-1-111122223333-eu-west-1-rollout-halted-on-n1.eml',
    'slack.html',
    'slack.json',
  ])
  expect(readFileSync(join(folder, mail), 'utf8').split('\r\n').slice(1, 3)).toEqual([
    'To: ops@example.com',
    `Subject: ${subject}`,
  ])
  const html = readFileSync(join(folder, 'slack.html'), 'utf8')
  expect(html).toContain('rollout halted on n1 &lt;b&gt;.')
  expect(html).toContain('<a href="https://docs.example.com/#rollout-halted">Runbook</a>')
})
