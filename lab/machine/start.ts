import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { freePorts } from '../loopback.ts'
import { startProcess, untilReady } from '../processes.ts'
import type { MachineImage } from './image.ts'

/** A virtual machine with Debian's kernel, which can do what this machine's kernel may not: IPVS above all. */
export interface Machine {
  /** How this machine is reached from inside: its 127.0.0.1. */
  readonly host: string
  /** Runs a script for the shell to its end and answers what it printed. Throws with what it complained of, or after five minutes. */
  run: (script: string) => Promise<string>
  /** Runs a script and hears each line that it prints, until it ends or is ended. */
  follow: (script: string, onLine: (line: string) => void) => Following
  stop: () => Promise<void>
}

export interface Following {
  /** Of the script, once it has ended; undefined where the machine or we hung up. */
  readonly exit: Promise<number | undefined>
  /** Ends the script and all that it started. */
  end: () => void
}

/** Milliseconds: no script that is waited for takes a tenth of it. */
const runLimit = 300_000

const answer = z.object({ line: z.string().optional(), error: z.boolean().optional(), exit: z.number().optional() })

/** Emulated, not virtualised: slower by far, and the same everywhere. Nothing of it listens but one port of 127.0.0.1. */
export async function startMachine(image: MachineImage, workdir: string): Promise<Machine> {
  const [port = 0] = await freePorts(1)
  const console = join(workdir, 'machine.log')
  const qemu = startProcess({
    name: 'qemu',
    // Unlike the lab's own programs, QEMU does not see to it itself that it ends with this process.
    command: 'setpriv',
    // A busy machine emulates a timer so slowly that the kernel's check would take it for a broken one.
    args: [
      ['--pdeathsig', 'KILL', 'qemu-system-x86_64'],
      '-accel tcg,thread=multi -m 3072 -smp 2 -display none -no-reboot -monitor none -serial stdio'.split(' '),
      ['-kernel', image.kernel, '-initrd', image.initrd, '-append', 'console=ttyS0 quiet panic=-1 no_timer_check'],
      ['-nic', `user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:${port}-:7000`],
    ].flat(),
    logFile: console,
  })
  try {
    await untilReady(qemu, async () => readFileSync(console, 'utf8').includes('the machine is ready'), 180_000)
    const missing = readFileSync(console, 'utf8').match(/no module \S+/g)
    if (missing) throw new Error(`The machine's kernel has ${missing.join(', ')}.`)
  } catch (error) {
    await qemu.kill()
    throw error
  }
  const follow = (script: string, onLine: (line: string) => void) => order(port, script, onLine)
  return {
    host: '10.0.2.2',
    follow,
    run: async (script) => {
      const lines: string[] = []
      const running = order(
        port,
        script,
        (line) => lines.push(line),
        (line) => lines.push(line),
      )
      const limit = setTimeout(running.end, runLimit)
      const exit = await running.exit.finally(() => clearTimeout(limit))
      const ended =
        exit === undefined
          ? `was broken off, after ${runLimit / 1000} s or because the machine ended`
          : `ended with ${exit}`
      if (exit !== 0)
        throw new Error(`In the machine, \`${script.slice(0, 200)}\` ${ended}: ${lines.slice(-8).join('\n')}`)
      return lines.join('\n')
    },
    stop: () => qemu.kill(),
  }
}

/** A connection of its own for each script: when it closes, the script ends. */
function order(
  port: number,
  script: string,
  onLine: (line: string) => void,
  onComplaint: (line: string) => void = onLine,
): Following {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${JSON.stringify({ script })}\n`)
  const exit = new Promise<number | undefined>((resolve) => {
    const lines = createInterface({ input: socket })
    lines.on('line', (text) => {
      const { line, error, exit: code } = answer.parse(JSON.parse(text))
      if (line !== undefined) (error ? onComplaint : onLine)(line)
      if (code !== undefined) resolve(code)
    })
    // Both tell of it, and either would end this process where nobody listens.
    for (const it of [socket, lines]) it.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
  })
  return { exit, end: () => socket.destroy() }
}
