import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { BrakePosition } from '../../../shared/domain/policy/policy.ts'
import { failFelixWith } from '../../rollout/stage.ts'
import { bringBack } from './back.ts'
import { judge, type Verdict } from './judge.ts'
import { judgeHalt } from './judge-halt.ts'
import type { CrashPoint } from './life.ts'
import { type Proxy, troubles } from './proxy.ts'
import { brakeAt, judgeBrake } from './brakes.ts'
import { type Mishap, type Outcome, runOnce } from './run.ts'
import { type Need, type Scene, target } from './scene.ts'

/** One run that was tried: what went wrong in it, and how it ended. */
export interface Tried extends Verdict {
  point: string
}

export interface Series {
  scene: Scene
  dynamo: DynamoDBClient
  proxy: Proxy
  /** Every k-th point only. */
  stride: number
  /** At effects of this kind only. */
  at?: RegExp
  tried: (it: Tried) => void
}

type About = Mishap & { judged?: (outcome: Outcome, braked: boolean) => Verdict }

const pace = { maxUnavailable: 1, settleSeconds: 10 }

/** A run under mishaps, judged; what makes the run itself fail is a failure too. */
const attempt = async (
  series: Series,
  need: Need,
  point: string,
  { judged, ...mishap }: About,
): Promise<Outcome | undefined> => {
  const { scene, dynamo } = series
  await scene.set(need)
  try {
    const outcome = await runOnce(scene, dynamo, mishap)
    const verdict = judged ? judged(outcome, false) : judge(outcome, scene, { need, ...pace })
    series.tried({ point: `${need}: ${point}`, ...verdict })
    return outcome
  } catch (error) {
    const failures = [error instanceof Error ? error.message : String(error)]
    const none = { finished: false, doubledRestarts: 0, orphans: 0, duplicateNotices: 0, repeatedUnheard: 0 }
    series.tried({ point: `${need}: ${point}`, ...none, failures })
    return undefined
  }
}

/** Counts the effects of a clean run, then dies at each of them: before it takes place, and after, before it is answered. */
export const crashes = async (series: Series, need: Need): Promise<void> => dying(series, need, {})

/**
 * The same where the value reaches the nodes through `default`, one of them cannot take it, and the halt puts the former value
 * back, by several writes.
 */
export const haltCrashes = async (series: Series, strategy: 'canary' | 'direct'): Promise<void> =>
  halting(series, strategy, (about) => dying(series, 'range', about))

const halting = async (
  { scene }: Series,
  strategy: 'canary' | 'direct',
  tries: (about: About) => Promise<void>,
): Promise<void> => {
  const ill = scene.nodes[1] ?? ''
  await scene.set('range')
  const felix = await failFelixWith(scene, ill, target)
  try {
    await tries({ policy: { strategy }, judged: (outcome, braked) => judgeHalt(outcome, scene, { ill, braked }) })
  } finally {
    await scene.set('range')
    await felix.stop()
  }
}

const positions: BrakePosition[] = [
  { most: 'report' },
  { most: 'off' },
  { most: 'report', unreadable: 'the brake cannot be read' },
]

/** The brake is set at each effect in turn, to each position in turn, and released minutes later. */
export const brakes = async (series: Series, need: Need): Promise<void> => braking(series, need, {})

/** The same where the rollout halts and puts back what was there before. */
export const haltBrakes = async (series: Series, strategy: 'canary' | 'direct'): Promise<void> =>
  halting(series, strategy, (about) => braking(series, 'range', about))

const braking = async (series: Series, need: Need, about: About): Promise<void> => {
  const { clock } = series.scene
  const clean = await attempt(series, need, 'clean', { ...about, brake: () => ({ most: 'sync' }) })
  const effects = clean?.crashing.effects ?? []
  const points = effects.flatMap(({ what }, at) => (series.at?.test(what) === false ? [] : { what, at }))
  for (const [index, { what, at }] of points.filter((_, nth) => nth % series.stride === 0).entries()) {
    const position = positions[index % positions.length] ?? { most: 'report' }
    const brake = brakeAt(at, position, clock)
    const usual = about.judged ?? ((outcome: Outcome) => judge(outcome, series.scene, { need, ...pace }))
    const judged = (outcome: Outcome) => judgeBrake(usual(outcome, true), outcome, brake)
    const point = `brake ${position.unreadable ? 'unreadable' : position.most} at effect ${at}, ${what}`
    await attempt(series, need, point, { ...about, brake: brake.read, judged })
  }
}

const dying = async (series: Series, need: Need, about: About): Promise<void> => {
  const clean = await attempt(series, need, 'clean', about)
  const effects = clean?.crashing.effects ?? []
  const points: CrashPoint[] = effects.flatMap((_, at) => [
    { at, moment: 'before' as const },
    { at, moment: 'after' as const },
  ])
  for (const crashPoint of points.filter((_, index) => index % series.stride === 0)) {
    await attempt(series, need, `died ${crashPoint.moment} effect ${crashPoint.at}, ${effects[crashPoint.at]?.what}`, {
      ...about,
      crashPoint,
    })
  }
}

/** The same in bad delivery: messages that come twice, out of order, late. */
export const deliveryFaults = async (series: Series, need: Need): Promise<void> => {
  const late = (nth: number) => ((nth * 7919) % 90) * 1000
  await attempt(series, need, 'every message twice', { delivery: { copies: 2 } })
  await attempt(series, need, 'messages out of order', { delivery: { reordered: true, late } })
  await attempt(series, need, 'messages late by up to 90 s', { delivery: { late } })
  await attempt(series, need, 'messages ten minutes late', { delivery: { late: () => 600_000 } })
  await attempt(series, need, 'twice, out of order and late', { delivery: { copies: 2, reordered: true, late } })
}

/** Each write in turn, and every fifteenth read, meets each trouble on its way. */
export const requestTroubles = async (series: Series, need: Need): Promise<void> => {
  const { proxy } = series
  proxy.plan()
  await attempt(series, need, 'clean, through the proxy', { kube: proxy.kube })
  const asked = [...proxy.asked]
  const worth = asked.flatMap(({ method }, at) => (method !== 'GET' || at % 15 === 0 ? [at] : []))
  const points = worth.flatMap((at) => troubles.map((is) => ({ at, is })))
  for (const trouble of points.filter((_, index) => index % series.stride === 0)) {
    const about = asked[trouble.at]
    proxy.plan(trouble)
    const point = `request ${trouble.at} ${trouble.is}, ${about?.method} ${about?.path.replace(/\?.*/, '')}`
    await attempt(series, need, point, { kube: proxy.kube })
  }
  proxy.plan()
}

/** The API server is killed before a message is worked on, and is back three messages later. */
export const outages = async (series: Series, need: Need, moments: number[]): Promise<void> => {
  const { cluster } = series.scene
  for (const moment of moments) {
    let away = false
    const between = async (nth: number) => {
      if (nth === moment && !away) {
        away = true
        await cluster.suspend()
      } else if (away && nth === moment + 3) {
        away = false
        await bringBack(series.scene)
      }
    }
    await attempt(series, need, `API server killed at message ${moment}`, { between })
    if (away) await bringBack(series.scene)
  }
}
