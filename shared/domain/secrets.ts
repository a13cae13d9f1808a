/**
 * What looks like a secret, in texts of others that are shown, told, logged or stored: error messages, log lines, values.
 * Nobody can know all secrets by their looks. These are the ones that are told apart from other text; secrets of our own
 * (tokens and keys we use) are known, and are looked for as they are (`clients/own-secrets.ts`).
 */
const patterns: readonly [RegExp, string][] = [
  // Whole, without its end, or without its head.
  [/-----BEGIN [^-\n]{1,60}-----(?:[\w+/=\s]|\\[nr])*(?:-----END [^-\n]{1,60}-----)?/g, '[PEM]'],
  [/(?:[\w+/=]{8,80}(?:\s|\\[nr]){1,3}){0,100}[\w+/=]{0,80}(?:\s|\\[nr]){0,3}-----END [^-\n]{1,60}-----/g, '[PEM]'],
  [/^(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[\w+/]{60,76}={0,2}$(?:\r?\n[\w+/]+={0,2}$)*/gm, '[PEM]'],
  [/\bk8s-aws-v\d\.[\w-]+/g, '[token]'],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, '[token]'],
  [/\b(authorization["']?\s*[:=]\s*["']?)(?:\w+\s+)?[^\s"',;]+/gi, '$1[secret]'],
  [/\b(bearer|basic)\s+(?![a-z]+\b(?![=/+]))[\w+/=.~:-]{6,}/gi, '$1 [secret]'],
  [/\b[\w.%+-]{1,60}:[^\s/@:"'<>\\]{3,100}@(?!sha\d+:)(?=[\w[])/g, '[secret]@'],
  // Addresses with a login, presigned calls, and webhook URLs, which accept messages from anybody who has them.
  [/\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@"'<>]+@/gi, '$1[secret]@'],
  [/\b((?:X-Amz-)?(?:Signature|Credential|Security-Token)["']?\s*(?:=|%3D|:)\s*["']?)[^\s&"'<>,]{8,}/gi, '$1[secret]'],
  [/\b(hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)[^\s"'<>]+/gi, '$1[secret]'],
  [/\b((?:[\w-]{1,60}\.)?(?:webhook\.office|office)\.com\/webhook\w*\/)[^\s"'<>]+/gi, '$1[secret]'],
  [/\b(discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/)[^\s"'<>]+/gi, '$1[secret]'],
  [/([?&](?:sig|key|code|token|signature)=)[^\s&"'<>]+/gi, '$1[secret]'],
  [/\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b/g, '[access key]'],
  [
    /\b(?:gh[a-z]_|github_pat_|gl[a-z]{2,7}-|xox[a-z]-|xapp-|(?:sk|rk|pk)_(?:live|test)_|sk-|npm_|hf_|pypi-|dckr_pat_|dop_v1_|shp(?:at|ss|ca|pa)_|hv[sbr]\.|lin_api_|PMAK-|NRAK-|rubygems_|figd_|ya29\.|SG\.|AGE-SECRET-KEY-)[\w.-]{12,}/g,
    '[token]',
  ],
  [/\bAIza[\w-]{30,}/g, '[token]'],
  [/\b\d{8,10}:[\w-]{35}\b/g, '[token]'],
  [/\b(?=[a-z]*\d)[a-z\d]{6}\.(?=[a-z]*\d)[a-z\d]{16}\b/g, '[token]'],
  // A name that says so, and its value; a lower-case word after a colon is a sentence that goes on.
  [
    /\b([\w-]{0,40}(?:password|passwd|passphrase|pwd|private_?key)[\\"']{0,4}\s*[=:]\s*)(?:\\{0,3}"[^"]*"|'[^']*'|(?!\[secret)[^\s"']+)/gi,
    '$1[secret]',
  ],
  [
    /\b([\w-]{0,40}(?:secret|token|credentials?|api[_-]?key|access[_-]?key(?:[_-]?id)?|client[_-]?key(?:-data)?)[\\"']{0,4}\s*(?:=\s*|:\s*(?![a-z]+[\s.,;:]|\[)))(?:\\{0,3}"[^"]*"|'[^']*'|(?!\[secret)[^\s"']+)/gi,
    '$1[secret]',
  ],
  // Forty and more letters of both cases with digits: a secret access key, a key in base64. No hash in hex is.
  // A line of a key, wherever it came to stand.
  [/(?<![\w/+.-])(?=[a-z\d/+]{0,200}?[A-Z])(?=[A-Z\d/+]{0,200}?[a-z])[A-Za-z\d/+]{60,}={0,2}(?![\w-])/g, '[secret]'],
  [
    /(?<![\w/+.-])(?=[A-Za-z\d/+]{0,200}?[A-Z])(?=[A-Za-z\d/+]{0,200}?[a-z])(?=[A-Za-z\d/+]{0,200}?\d)[A-Za-z\d/+]{40,}={0,2}(?![\w-])/g,
    '[secret]',
  ],
]

/** A text without any of these signs holds none of the above: nearly every name and value. */
const mayHold = /[=:@]|-----|[\w+/-]{16,}|bearer|basic|[a-z\d]{6}\.[a-z\d]{16}/i

export const withoutSecrets = (text: string): string =>
  text.length < 12 || !mayHold.test(text)
    ? text
    : patterns.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text)
