// What only a look at a whole cluster needs, a quarter of the code of `evaluate`.
export { assess } from '../../domain/assess/assess.ts'
export { plan } from '../../domain/plan/plan.ts'
export { observe } from '../observe/observe.ts'
