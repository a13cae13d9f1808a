import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whatever the tests, and the programs they start, leave behind lies in one folder: data of etcd alone is 60 MB a cluster. */
export default () => {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-test-'))
}
