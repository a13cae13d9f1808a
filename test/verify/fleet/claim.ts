/** What is shown, whether it was so, and the figures. */
export interface Claim {
  claim: string
  holds: boolean
  detail?: string
}

export interface Sizes {
  events: number
  clusters: number
}
