import type { Link } from './links.ts'
import { escaped, markdownOf, proseOf } from './markdown.ts'
import type { OutgoingNotice } from './outgoing.ts'

/** Below the limits of the chat programs. In characters. */
const atMost = { title: 250, description: 3_000, step: 300, steps: 5, context: 250 }

/** Whole lines only, because half a command must not be pasted; a first line that is too long is cut, and no code then. */
const markdown = (text: string, most: number): string => {
  const lines = markdownOf(text, Infinity)
  if (lines.join('\n').length <= most) return lines.join('\n')
  const kept: string[] = []
  for (const line of lines) {
    if ([...kept, line, '…'].join('\n').length > most) break
    kept.push(line)
  }
  return [...(kept.length > 0 ? kept : [proseOf(text, most - 2)]), '…'].join('\n')
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

/**
 * A custom notification of Amazon Q Developer in chat applications, which drops messages of any other format. All
 * notices of one incident are in one thread. https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
 */
export const chatNotification = ({ subject, text, attributes, about = {} }: OutgoingNotice, links: readonly Link[]) => {
  const { first, steps } = partsOf(text)
  const { notice, kind, cluster, account, region, verdict } = attributes
  const incident = about.incident ?? notice
  const facts = { kind, cluster, account, region, verdict, since: about.since, ...linked(links) }
  const context = Object.entries(facts).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, cut(value, atMost.context)] as const] : [],
  )
  const nextSteps = steps.slice(0, atMost.steps).map((step) => markdown(step, atMost.step))
  return {
    version: '1.0',
    source: 'custom',
    ...(notice && { id: notice }),
    content: {
      textType: 'client-markdown',
      title: cut(escaped(subject), atMost.title),
      description: markdown(first, atMost.description),
      ...(nextSteps.length > 0 && { nextSteps }),
    },
    metadata: {
      ...(incident && { threadId: incident }),
      summary: cut(subject, atMost.title),
      eventType: `calico-ipvs-sync ${kind ?? 'notice'}`,
      ...(context.length > 0 && { additionalContext: Object.fromEntries(context) }),
    },
  }
}

const linked = (links: readonly Link[]): Record<string, string> =>
  Object.fromEntries(links.map(({ label, url }) => [label.toLowerCase(), url]))

/** The steps under "What to do:" become the chat's next steps; everything else becomes its description. */
const partsOf = (text: string): { first: string; steps: string[] } => {
  const blocks = text.split('\n\n')
  const isToDo = (block: string) => block.startsWith('What to do:\n')
  const steps = (blocks.find(isToDo) ?? '').split(/\n(?=\d+\. )/).slice(1)
  return {
    first: blocks.filter((block) => !isToDo(block)).join('\n\n'),
    steps: steps.map((step) => step.replace(/^\d+\. /, '')),
  }
}
