import type { Report } from '../../../domain/report.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure } from './figure.ts'

/** Kubernetes versions and what each does (KEP-3866, KEP-5495); the last two are plans. */
const rungs: readonly { minor: number; words: string; isPlan?: true }[] = [
  { minor: 33, words: 'nftables mode is generally available' },
  { minor: 35, words: 'kube-proxy warns that IPVS is deprecated' },
  { minor: 37, words: 'IPVS has the feature gate KubeProxyIPVS, which is on' },
  { minor: 40, words: 'the gate is off: kube-proxy does not start in IPVS mode', isPlan: true },
  { minor: 43, words: 'IPVS is removed', isPlan: true },
]

/** How far this cluster is from the end of IPVS, and what is in the way of nftables. Drawn where the finding is. */
export const leavingIpvs = ({ findings, calico }: Report): Markup | undefined => {
  const found = findings.find(({ code }) => code === 'IPVS_DEPRECATED')
  const minor = Number(/This cluster runs 1\.(\d{1,3})/.exec(found?.message ?? '')?.[1])
  if (!found || Number.isNaN(minor)) return undefined
  const here = { minor, words: 'this cluster', isHere: true as const }
  const all = [...rungs.map((rung) => ({ ...rung, isHere: false })), here].sort(
    (a, b) => a.minor - b.minor || Number(a.isHere) - Number(b.isHere),
  )
  const needs = needed(found.message, calico?.version)
  return figure('Leaving IPVS', [
    html`<div class="ladder"><ol>${all.map((rung) => rungItem(rung, minor))}</ol>
<div><p>For nftables mode</p><ul>${needs.map(({ words, isMet }) => html`<li>${sign(isMet)} ${words}</li>`)}</ul></div></div>`,
  ])
}

interface Rung {
  minor: number
  words: string
  isPlan?: true
  isHere: boolean
}

const rungItem = ({ minor, words, isPlan, isHere }: Rung, at: number): Markup => {
  const state = isHere ? 'here' : minor <= at ? 'past' : 'ahead'
  const left = minor - at
  const when =
    state === 'ahead'
      ? ` (${left === 1 ? 'the next version' : `${left} versions from here`}${isPlan ? ', planned' : ''})`
      : ''
  return html`<li class="${state}"><svg width="20" height="22" aria-hidden="true"><line class="line" x1="10" x2="10" y1="0" y2="22"/>${shapes[state]}</svg> <b>1.${minor}</b> ${words}<span class="where">${when}</span></li>`
}

/** Whole: has come · diamond: here · hollow: to come. */
const shapes = {
  past: html`<circle class="past" cx="10" cy="11" r="5"/>`,
  here: html`<rect class="here" x="5" y="6" width="10" height="10" transform="rotate(45 10 11)"/>`,
  ahead: html`<circle class="ahead" cx="10" cy="11" r="5"/>`,
}

/** The finding names what is missing; what it does not name was looked at and found. */
const needed = (message: string, calico: string | undefined): { words: string; isMet: boolean | undefined }[] => {
  const kernel = /it wants Linux 5\.13, (\d{1,6} of \d{1,6} nodes) have an older one/.exec(message)?.[1]
  return [
    { words: 'Kubernetes 1.33 or newer', isMet: !message.includes('available from Kubernetes 1.33') },
    {
      words: `Calico 3.29 or newer${calico === undefined ? '' : `: ${calico}`}`,
      isMet: calico === undefined ? undefined : !message.includes('from Calico 3.29'),
    },
    {
      words: `Linux 5.13 or newer${kernel === undefined ? '' : `: ${kernel} have an older one`}`,
      isMet: kernel === undefined,
    },
  ]
}

const sign = (isMet: boolean | undefined): Markup =>
  isMet === undefined
    ? html`<b>?</b><span class="unseen">not known:</span>`
    : isMet
      ? html`<b class="good">✓</b><span class="unseen">met:</span>`
      : html`<b class="bad">✕</b><span class="unseen">missing:</span>`
