import { html as markup } from './markup.ts'
import type { Markup } from './markup.ts'
import { style, styleHash } from './style.ts'

// Nothing may be loaded or run, and only this very style sheet applies: text that slipped through could do nothing.
const policy = `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'`

/** A whole document: no scripts, nothing loaded. */
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
</head>
<body>
${body}
</body>
</html>
`.markup
