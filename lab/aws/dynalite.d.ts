declare module 'dynalite' {
  import type { Server } from 'node:http'

  export interface DynaliteOptions {
    createTableMs?: number
    deleteTableMs?: number
    updateTableMs?: number
  }

  /** DynamoDB in memory. Closing the server closes the tables. */
  export default function dynalite(options?: DynaliteOptions): Server
}
