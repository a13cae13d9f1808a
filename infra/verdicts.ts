import { Duration, type Stack } from 'aws-cdk-lib'
import { alarm, ourMetric } from './alarms.ts'
import type { Surroundings } from './function.ts'

/** What the tool finds is told by notices. Two findings are alarms too, because they need a person and may not be missed. */
export const watchVerdicts = (stack: Stack, { alarms, config }: Surroundings): void => {
  alarm(stack, 'RolloutHalted', alarms, {
    meaning: 'A rollout halted: a node did not come back, and nothing more is touched in that cluster.',
    runbook: 'rollout-halted',
    metric: ourMetric('RolloutHalted', Duration.minutes(1)),
  })
  alarm(stack, 'ClustersUnknown', alarms, {
    meaning: 'Clusters cannot be judged for two sweeps and longer; what runs there is not known.',
    runbook: 'clusters-unknown',
    metric: ourMetric('ClusterUnknown', Duration.minutes(config.sweep.everyMinutes)),
    periods: 2,
  })
}
