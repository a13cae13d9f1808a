import { nftablesFacts, nftablesNeeds } from '../../../domain/findings/nftables-needs.ts'
import type { Report } from '../../../domain/report.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure } from './figure.ts'

/** Kubernetes versions and what each does (KEP-3866, KEP-5495); the last two are plans. */
const rungs: readonly { minor: number; words: string; isPlan?: true }[] = [
  { minor: nftablesNeeds.minor, words: 'nftables mode is generally available' },
  { minor: 35, words: 'kube-proxy warns that IPVS is deprecated' },
  { minor: 37, words: 'IPVS has the feature gate KubeProxyIPVS, which is on' },
  { minor: 40, words: 'the gate is off: kube-proxy does not start in IPVS mode', isPlan: true },
  { minor: 43, words: 'IPVS is removed', isPlan: true },
]

/** How far this cluster is from the end of IPVS, and what is in the way of nftables. Drawn where the finding is. */
export const leavingIpvs = (report: Report): Markup | undefined => {
  const facts = nftablesFacts(report)
  if (!facts) return undefined
  const { minor } = facts
  const here = { minor, words: 'this cluster', isHere: true as const }
  const all = [...rungs.map((rung) => ({ ...rung, isHere: false })), here].sort(
    (a, b) => a.minor - b.minor || Number(a.isHere) - Number(b.isHere),
  )
  const needs = needed(facts, report.calico?.version)
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

/** What the finding has no evidence against was read and is new enough. */
const needed = (
  { minor, oldCalico, oldKernels }: NonNullable<ReturnType<typeof nftablesFacts>>,
  calico: string | undefined,
): { words: string; isMet: boolean | undefined }[] => {
  const shown = oldCalico ?? calico
  return [
    { words: `Kubernetes 1.${nftablesNeeds.minor} or newer`, isMet: minor >= nftablesNeeds.minor },
    {
      words: `Calico ${nftablesNeeds.calico} or newer${shown === undefined ? '' : `: ${shown}`}`,
      isMet: shown === undefined ? undefined : oldCalico === undefined,
    },
    {
      words: `Linux ${nftablesNeeds.linux} or newer${oldKernels === undefined ? '' : `: older on ${oldKernels}`}`,
      isMet: oldKernels === undefined,
    },
  ]
}

const sign = (isMet: boolean | undefined): Markup =>
  isMet === undefined
    ? html`<b>?</b><span class="unseen">not known:</span>`
    : isMet
      ? html`<b class="good">✓</b><span class="unseen">met:</span>`
      : html`<b class="bad">✕</b><span class="unseen">missing:</span>`
