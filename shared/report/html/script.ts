/**
 * The page's only script; everything is readable without it. It adds buttons that copy, each named by what it copies, and
 * search and filters to the table of a fleet. It reads attributes and text of the page and writes text: nothing in it can
 * become markup. After a change of it the test names the new `scriptHash`.
 */
export const script = `
document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll('pre.paste').forEach((pre, at, all) => {
    const button = document.createElement('button')
    const [first, ...more] = pre.textContent.trim().split('\\n')
    const begins = first.slice(0, 80) + (more.length > 0 || first.length > 80 ? ' …' : '')
    const say = (word) => {
      button.textContent = word
      button.setAttribute('aria-label', word + ' ' + (at + 1) + ' of ' + all.length + ': ' + begins)
    }
    button.type = 'button'
    button.className = 'copy'
    say('Copy')
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent)
        say('Copied')
      } catch {
        getSelection().selectAllChildren(pre)
        say('Selected')
      }
      setTimeout(() => say('Copy'), 2000)
    })
    pre.before(button)
  })
  const bar = document.getElementById('search')
  if (!bar) return
  const rows = [...document.querySelectorAll('tbody[data-verdict]')]
  const texts = rows.map((row) => row.firstElementChild.textContent.toLowerCase())
  const fields = [...bar.querySelectorAll('select')]
  const words = bar.querySelector('input')
  const shown = bar.querySelector('output')
  const valuesOf = (row, of) => (row.dataset[of] || '').split(' ').filter(Boolean)
  for (const field of fields) {
    const all = [...new Set(rows.flatMap((row) => valuesOf(row, field.name)))].sort()
    for (const value of all) field.add(new Option(value, value))
    field.parentElement.hidden = all.length < 2
  }
  const apply = () => {
    const wanted = words.value.toLowerCase().split(' ').filter(Boolean)
    let count = 0
    rows.forEach((row, at) => {
      const fits =
        wanted.every((word) => texts[at].includes(word)) &&
        fields.every((field) => field.value === '' || valuesOf(row, field.name).includes(field.value))
      row.hidden = !fits
      if (fits) count += 1
    })
    shown.textContent = count + ' of ' + rows.length + ' clusters'
  }
  bar.addEventListener('input', apply)
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#cluster-"]')
    if (!link) return
    const leadsToHidden = document.querySelector(link.hash)?.closest('tbody')?.hidden
    if (!link.matches('[data-account],[data-code]') && !leadsToHidden) return
    for (const field of fields) field.value = link.dataset[field.name] || ''
    words.value = ''
    apply()
  })
  bar.hidden = false
  for (const radios of document.querySelectorAll('.filter')) radios.hidden = true
  apply()
})
`

export const scriptHash = 'sha256-pPWNzlT95ma4vGvIA1I2n3jKVaj7moRapTWfZusXz/8='
