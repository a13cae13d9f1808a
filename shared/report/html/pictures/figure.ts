import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'

/**
 * What all pictures share: a caption, and rows of a sentence above its picture. Sentences are text of the page, so they wrap; lengths
 * inside a picture are percents, so that it is as wide as there is room and its letters keep their size.
 */
export const figure = (caption: string, body: readonly (Markup | undefined)[]): Markup =>
  html`<figure class="pic"><figcaption>${caption}</figcaption>${body.filter((it) => it !== undefined)}</figure>`

/** `label`: what the picture says, for who does not see it. */
export const picture = (label: string, height: number, body: readonly Markup[]): Markup =>
  html`<svg width="100%" height="${height}" role="img" aria-label="${label}">${body}</svg>`

export const row = (words: Markup, shown: Markup): Markup => html`<div class="row"><p>${words}</p>${shown}</div>`

/** `12.5%`; a hundredth is less than a pixel on any screen. */
export const percent = (share: number): string => `${Math.round(Math.min(Math.max(share, 0), 1) * 10_000) / 100}%`

/** Hatched and so told apart from what is whole, in greys too. Once on a page; the style sheet refers to it. */
export const patterns: Markup = html`<svg class="patterns" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="ground"/><rect width="3" height="6" class="bars"/></pattern></defs></svg>
`

/** What the shapes mean. */
export const key = (items: readonly { shape: Markup; words: string }[]): Markup =>
  html`<ul class="key">${items.map(({ shape, words }) => html`<li><svg width="16" height="12" aria-hidden="true">${shape}</svg> ${words}</li>`)}</ul>`
