// Loaded with `node --import`: every sentence in the code that decides is another one, in each place a different one, so
// that nothing compares, searches or takes apart what is said to people without being found out.
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const decides = /\/shared\/(domain|workflows)\/.*\.ts$/
let sentences = 0

registerHooks({
  load(url, context, next) {
    if (!decides.test(url)) return next(url, context)
    const source = reworded(stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')))
    return { format: 'module', source, shortCircuit: true }
  },
})

/** Three words and more are a sentence; less is a name or one of a set of words. */
const spoken = (text) => {
  if (text.trim().split(/\s+/).length < 3) return text
  sentences += 1
  return `${sentences} ${text.replace(/\\u[\da-f]{4}|\\.|[a-z]/gi, shifted)} ${sentences}`
}

const shifted = (it) => {
  if (it.length > 1) return it
  const first = it < 'a' ? 65 : 97
  return String.fromCharCode(first + ((it.charCodeAt(0) - first + 13) % 26))
}

const piece = /\/\/.*|\/\*[^]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[`{}]|\/(?![*/])|[^'"`{}/]+/y
const regex = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const words = /(?:[^`\\$]|\\[^]|\$(?!\{))*/y

const reworded = (source) => {
  let at = 0
  const take = (form) => {
    form.lastIndex = at
    const found = form.exec(source)?.[0]
    if (found === undefined) throw new Error(`not understood at ${at}: ${source.slice(at, at + 40)}`)
    at += found.length
    return found
  }
  const template = () => {
    let text = ''
    for (;;) {
      text += spoken(take(words))
      if (source[at] === '`') break
      at += 2
      text += `\${${code(true)}}`
    }
    at += 1
    return `\`${text}\``
  }
  const code = (isNested) => {
    let [text, depth] = ['', 0]
    while (at < source.length) {
      const before = at
      const found = take(piece)
      if (found === '}' && isNested && depth === 0) return text
      if (found === '{') depth += 1
      if (found === '}') depth -= 1
      if (found === '`') text += template()
      else if (found === '/' && /(^|[(,=:[!&|?{};>]|return)\s*$/.test(text)) {
        at = before
        text += take(regex)
      } else if (found.startsWith("'") || found.startsWith('"'))
        text += found[0] + spoken(found.slice(1, -1)) + found[0]
      else text += found
    }
    return text
  }
  return code(false)
}
