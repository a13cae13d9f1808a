import { commandFor } from '../target/command-for.ts'
import { exitStatus } from '../exit-status.ts'
import { rolloutStatus } from '../rollout/status.ts'
import { statusText } from '../rollout/text.ts'
import { say, widthOf } from '../streams.ts'
import { assessTarget } from '../target/target.ts'
import { asPlanned, type SyncRun } from './rollout.ts'

/** Whoever stopped it wants to know what is done, what is left, and how to go on. Where the cluster cannot be read, only the last. */
export const tellWhereItStands = async (it: SyncRun): Promise<number> => {
  const { target, policy, telling } = it
  const on = (command: string): string => commandFor(command, target, asPlanned(it))
  const style = { bold: String, name: target.name, width: widthOf(process.stderr) }
  telling.doing('reading where it stands; once more ends at once')
  const text = await assessTarget(target, policy, true)
    .then((looked) => statusText(rolloutStatus(looked, on('check')), style, on))
    .catch(() => `Next: ${on('sync')}   # continues where it stopped\n`)
  telling.clear()
  say(text.trimEnd())
  return exitStatus.failed
}
