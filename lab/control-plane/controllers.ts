import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminClient } from '../admin-client.ts'
import { startProcess, untilReady } from '../processes.ts'
import { controllerArguments, kwokArguments, schedulerArguments } from './arguments.ts'
import type { ClusterFiles } from './files.ts'
import { writeKwokConfig } from './simulated-kubelets.ts'

/** All that lives by watching the API server: the controllers, the scheduler, and KWOK in place of the kubelets. */
export interface Controllers {
  /** Resolves when pods are played. */
  readonly start: () => Promise<void>
  readonly kill: () => Promise<void>
}

export interface ControllersParts {
  kubelab: string
  files: ClusterFiles
  kubeconfig: string
  kwokPort: number
}

/**
 * They go and come with the API server: left alone with one that is away they try again ever more rarely, and have been seen to
 * come to themselves three quarters of a minute after it had come back.
 */
export function createControllers({ kubelab, files, kubeconfig, kwokPort }: ControllersParts): Controllers {
  const config = writeKwokConfig(files.folder)
  const launch = (name: string, args: string[]) =>
    startProcess({ name, command: kubelab, args: [name, ...args], logFile: join(files.folder, `${name}.log`) })
  let running: ReturnType<typeof launch>[] = []
  const kill = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((program) => program.kill()))
  }
  /** KWOK sometimes serves and never plays: the stages did not reach it while it started. Another one is started then. */
  const startKwok = async (): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      const before = stagesStarted(files)
      const kwok = launch('kwok', kwokArguments({ files, kubeconfig, config, port: kwokPort }))
      const plays = async () => (await answers(kwokPort, files)) && stagesStarted(files) >= before + 2
      try {
        await untilReady(kwok, plays, attempt * 20_000)
        running.push(kwok)
        return
      } catch (error) {
        await kwok.kill()
        if (attempt === 3) throw error
      }
    }
  }
  return {
    kill,
    start: async () => {
      await kill()
      running = [
        launch('kube-controller-manager', controllerArguments(kubeconfig)),
        launch('kube-scheduler', schedulerArguments(kubeconfig)),
      ]
      await startKwok()
    },
  }
}

/** How often KWOK has begun to play nodes or pods, by its log: it answers before, and a pod deleted in between is passed over. */
const stagesStarted = ({ folder }: ClusterFiles): number => {
  const log = join(folder, 'kwok.log')
  return existsSync(log) ? readFileSync(log, 'utf8').split('Start stage controller').length - 1 : 0
}

/** Whether KWOK listens. */
async function answers(port: number, files: ClusterFiles): Promise<boolean> {
  const kwok = adminClient({ server: `https://127.0.0.1:${port}`, caPem: files.authority.certPem, token: '' })
  try {
    await kwok.request('GET', '/healthz')
    return true
  } finally {
    kwok.close()
  }
}
