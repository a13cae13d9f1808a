const aLongWord = /[\w+/]{40}/

/**
 * Finds text that looks like a secret, in foreign text that is shown, sent, logged or stored: error messages, log
 * lines, values. Not every secret can be recognized by its format; these formats can. The tool's own secrets (its
 * tokens and keys) are known and searched literally (`clients/own-secrets.ts`). `signs` is a text that every match of
 * the pattern contains, in lower case: to search for it first takes a hundredth of the time.
 */
const patterns: readonly [signs: RegExp | readonly string[], pattern: RegExp, instead: string][] = [
  // Complete, without its end, or without its beginning.
  [['-----begin '], /-----BEGIN [^-\n]{1,60}-----(?:[\w+/=\s]|\\[nr])*(?:-----END [^-\n]{1,60}-----)?/g, '[PEM]'],
  [
    ['-----end '],
    /(?:[\w+/=]{8,80}(?:\s|\\[nr]){1,3}){0,100}[\w+/=]{0,80}(?:\s|\\[nr]){0,3}-----END [^-\n]{1,60}-----/g,
    '[PEM]',
  ],
  [aLongWord, /^(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[\w+/]{60,76}={0,2}$(?:\r?\n[\w+/]+={0,2}$)*/gm, '[PEM]'],
  [['k8s-aws-v'], /\bk8s-aws-v\d\.[\w-]+/g, '[token]'],
  [['eyj'], /\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, '[token]'],
  [['authorization'], /\b(authorization["']?\s*[:=]\s*["']?)(?:\w+\s+)?[^\s"',;]+/gi, '$1[secret]'],
  [['bearer', 'basic'], /\b(bearer|basic)\s+(?![a-z]+\b(?![=/+]))[\w+/=.~:-]{6,}/gi, '$1 [secret]'],
  [['@'], /\b[\w.%+-]{1,60}:[^\s/@:"'<>\\]{3,100}@(?!sha\d+:)(?=[\w[])/g, '[secret]@'],
  // URLs with a login, presigned URLs, and webhook URLs, which accept messages from anybody who knows them.
  [['://'], /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@"'<>]+@/gi, '$1[secret]@'],
  [
    ['signature', 'credential', 'security-token'],
    /\b((?:X-Amz-)?(?:Signature|Credential|Security-Token)["']?\s*(?:=|%3D|:)\s*["']?)[^\s&"'<>,]{8,}/gi,
    '$1[secret]',
  ],
  [['hooks.slack'], /\b(hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)[^\s"'<>]+/gi, '$1[secret]'],
  [
    ['office.com/webhook'],
    /\b((?:[\w-]{1,60}\.)?(?:webhook\.office|office)\.com\/webhook\w*\/)[^\s"'<>]+/gi,
    '$1[secret]',
  ],
  [['/webhooks/'], /\b(discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/)[^\s"'<>]+/gi, '$1[secret]'],
  [['?', '&'], /([?&](?:sig|key|code|token|signature)=)[^\s&"'<>]+/gi, '$1[secret]'],
  [['a3t', 'akia', 'asia', 'abia', 'acca'], /\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b/g, '[access key]'],
  [
    /[-_.][\w.-]{12}/,
    /\b(?:gh[a-z]_|github_pat_|gl[a-z]{2,7}-|xox[a-z]-|xapp-|(?:sk|rk|pk)_(?:live|test)_|sk-|npm_|hf_|pypi-|dckr_pat_|dop_v1_|shp(?:at|ss|ca|pa)_|hv[sbr]\.|lin_api_|PMAK-|NRAK-|rubygems_|figd_|ya29\.|SG\.|AGE-SECRET-KEY-)[\w.-]{12,}/g,
    '[token]',
  ],
  [['aiza'], /\bAIza[\w-]{30,}/g, '[token]'],
  [[':'], /\b\d{8,10}:[\w-]{35}\b/g, '[token]'],
  [['.'], /\b(?=[a-z]*\d)[a-z\d]{6}\.(?=[a-z]*\d)[a-z\d]{16}\b/g, '[token]'],
  // A name such as `password`, and its value; a lower-case word after a colon is ordinary text.
  [
    ['password', 'passwd', 'passphrase', 'pwd', 'private'],
    /\b([\w-]{0,40}(?:password|passwd|passphrase|pwd|private_?key)[\\"']{0,4}\s*[=:]\s*)(?:\\{0,3}"[^"]*"|'[^']*'|(?!\[secret)[^\s"']+)/gi,
    '$1[secret]',
  ],
  [
    ['secret', 'token', 'credential', 'key'],
    /\b([\w-]{0,40}(?:secret|token|credentials?|api[_-]?key|access[_-]?key(?:[_-]?id)?|client[_-]?key(?:-data)?)[\\"']{0,4}\s*(?:=\s*|:\s*(?![a-z]+[\s.,;:]|\[)))(?:\\{0,3}"[^"]*"|'[^']*'|(?!\[secret)[^\s"']+)/gi,
    '$1[secret]',
  ],
  // Forty or more letters of both cases with digits: a secret access key, a key in base64. A hash in hex does not
  // match. A line of a key, at any position.
  [
    aLongWord,
    /(?<![\w/+.-])(?=[a-z\d/+]{0,200}?[A-Z])(?=[A-Z\d/+]{0,200}?[a-z])[A-Za-z\d/+]{60,}={0,2}(?![\w-])/g,
    '[secret]',
  ],
  [
    aLongWord,
    /(?<![\w/+.-])(?=[A-Za-z\d/+]{0,200}?[A-Z])(?=[A-Za-z\d/+]{0,200}?[a-z])(?=[A-Za-z\d/+]{0,200}?\d)[A-Za-z\d/+]{40,}={0,2}(?![\w-])/g,
    '[secret]',
  ],
]

/** A text without any of these contains none of the above: most names, values and times, whose colons stand between digits. */
const mayHold = /[=@]|(?<!\d):|:(?!\d)|-----|[\w+/-]{16,}|bearer|basic|[a-z\d]{6}\.[a-z\d]{16}/i

export const withoutSecrets = (text: string): string => {
  if (text.length < 12 || !mayHold.test(text)) return text
  const low = text.toLowerCase()
  return patterns
    .filter(([signs]) => (signs instanceof RegExp ? signs.test(low) : signs.some((sign) => low.includes(sign))))
    .reduce((left, [, pattern, instead]) => left.replace(pattern, instead), text)
}
