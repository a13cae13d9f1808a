/** What is shown, whether it was so, and the figures. */
export interface Claim {
  claim: string
  holds: boolean
  detail?: string
}

/** How many events of one cluster come at once, clusters are swept, and change within one sweep. */
export interface Sizes {
  events: number
  clusters: number
  changing: number
}
