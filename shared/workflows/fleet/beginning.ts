// What only the first message of a rollout needs, a quarter of the code of `rollout-step`.
export { assess } from '../../domain/assess/assess.ts'
export { observe } from '../observe/observe.ts'
export { beginRollout } from '../rollout/begin.ts'
