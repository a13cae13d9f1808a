import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { bin } from '../cli/run.ts'

const exec = promisify(execFile)

/** Runs what a remedy tells people to paste, without effect. */
export interface Kubectl {
  /** Throws with kubectl's own words where a command in the text cannot be run as it stands. Answers how many there are. */
  try: (remedy: string) => Promise<number>
  remove: () => void
}

/**
 * The commands run in a shell, exactly as written, with a `kubectl` before the real one on the path that adds
 * `--dry-run=server`. Where there is no kubectl, the shell at least parses them.
 */
export async function dryKubectl(kubeconfig: string): Promise<Kubectl> {
  const folder = mkdtempSync(join(tmpdir(), 'dry-kubectl-'))
  const real = await exec('bash', ['-c', 'command -v kubectl']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
  if (real !== undefined) {
    writeFileSync(join(folder, 'kubectl'), wrapper(real, kubeconfig))
    chmodSync(join(folder, 'kubectl'), 0o755)
    const own = `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`
    writeFileSync(join(folder, 'calico-ipvs-sync'), own, { mode: 0o755 })
  }
  const env = { ...process.env, EDITOR: 'true', PATH: `${folder}${delimiter}${process.env['PATH']}` }
  return {
    try: async (remedy) => {
      const commands = commandsIn(remedy)
      for (const command of commands)
        await exec('bash', [...(real === undefined ? ['-n'] : []), '-ec', command], { env })
      return commands.length
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** A rollout knows no dry run: its history takes the same words and changes nothing. An editor that is `true` changes nothing either. No kubelet serves logs. */
const wrapper = (real: string, kubeconfig: string): string => `#!/bin/bash
dry=() words=() rollout=
for word in "$@"; do
  case "$word" in
    logs) exit 0 ;;
    patch|create|delete|set|apply|annotate|label|cordon) dry=(--dry-run=server) ;;
    rollout) rollout=yes ;;
    restart) [ -n "$rollout" ] && word=history ;;
  esac
  words+=("$word")
done
exec ${real} --kubeconfig ${kubeconfig} "\${words[@]}" "\${dry[@]}"
`

/** From each `kubectl` to where a reader would stop copying: a semicolon, a bracket, a comment, the line's or the document's end. */
export function commandsIn(remedy: string): string[] {
  return [...remedy.matchAll(/(?:\bcalico-ipvs-sync rbac\b[^|\n]*\| )?\bkubectl /g)].map(({ index }) =>
    commandAt(remedy.slice(index)),
  )
}

function commandAt(text: string): string {
  const document = /^[^\n]*<<'(\w+)'\n[\s\S]*?\n\1/.exec(text)
  if (document) return document[0]
  const words = /^(?:[^\s'";()#]+|'[^']*'|"[^"]*"|\\'|[ \t]+)+/.exec(text)
  return (words?.[0] ?? text).trim()
}
