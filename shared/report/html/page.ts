import { html as markup } from './markup.ts'
import type { Markup } from './markup.ts'
import { patterns } from './pictures/figure.ts'
import { script, scriptHash } from './script.ts'
import { style, styleHash } from './style.ts'

// Nothing may be loaded, and only this very style sheet and this very script apply: text that slipped through could do nothing.
const policy = `default-src 'none'; style-src '${styleHash}'; script-src '${scriptHash}'; base-uri 'none'; form-action 'none'`

/**
 * A whole document: nothing loaded, and everything readable without its script. `head`: on paper at the top of each page, so that a sheet that
 * was parted from the others still says of what it is.
 */
export const page = (title: string, { body, head }: { body: readonly Markup[]; head: readonly string[] }): string =>
  markup`<!doctype html>
<html lang="en" data-head="${head.filter((part) => part !== '').join(' · ')}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ markup: policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ markup: style }}</style>
<script>${{ markup: script }}</script>
</head>
<body>
${patterns}${body}
</body>
</html>
`.markup
