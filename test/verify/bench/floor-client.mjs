// What reading a cluster costs at least, as a whole process.
import { readCluster } from './floor-reads.mjs'

await readCluster(JSON.parse(process.env['FLOOR'] ?? '{}'))
