import { html as markup } from './markup.ts'
import type { Markup } from './markup.ts'
import { patterns } from './pictures/figure.ts'
import { script, scriptHash } from './script.ts'
import { style, styleHash } from './style.ts'

// Nothing may be loaded, and only this very style sheet and this very script apply: text that slipped through could do nothing.
const policy = `default-src 'none'; style-src '${styleHash}'; script-src '${scriptHash}'; base-uri 'none'; form-action 'none'`

/** A whole document: nothing loaded, and everything readable without its script. */
export const page = (title: string, body: readonly Markup[]): string =>
  markup`<!doctype html>
<html lang="en">
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
