import type { Sample } from './terminal.ts'

/** One page with all that was made of a document. */
export interface IndexEntry {
  title: string
  files: string[]
  note?: string
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`)

/** Links and pictures of everything that lies beside it. */
export const indexPage = (entries: readonly IndexEntry[], samples: readonly Sample[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Samples</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1400px;padding:0 1rem}img{max-width:100%;border:1px solid #bbb}
.shots{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem;align-items:start}.shots img{max-height:40rem;object-fit:cover;object-position:top}</style></head>
<body><main><h1>What people see</h1>
${entries
  .map(
    ({
      title,
      files,
      note = '',
    }) => `<section><h2>${escaped(title)}</h2><p>${files.map((file) => `<a href="${file}">${file}</a>`).join(' · ')} ${escaped(note)}</p>
<div class="shots">${files
      .filter((file) => file.endsWith('.png'))
      .map((file) => `<img src="${file}" alt="${escaped(file)}">`)
      .join('')}</div></section>`,
  )
  .join('\n')}
<section><h2>Terminal</h2>${samples.map(({ file, command, columns }) => `<p><code>${escaped(command)}</code>, ${columns} columns</p><img src="terminal/${file}" alt="${escaped(command)}">`).join('\n')}</section></main>
</body></html>
`
