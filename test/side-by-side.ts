/** A story on one stage: its parts come one after the other, and one that fails does not keep the next from its turn. */
export interface Story {
  name: string
  /** Sets the stage; answers the parts by name. */
  begin: () => Promise<Record<string, () => Promise<void>>>
}

export interface Stories {
  /** All at once: for stories that are mostly waiting. */
  play: () => Promise<void>
  /** For the test of a part: throws what the part threw. */
  ended: (story: string, part: string) => Promise<void>
}

export const sideBySide = (stories: readonly Story[]): Stories => {
  const played = new Map<string, Promise<void>>()
  const play = async ({ name, begin }: Story): Promise<void> => {
    for (const [what, part] of Object.entries(await begin())) {
      const playing = part()
      played.set(`${name}: ${what}`, playing)
      await playing.catch(() => undefined)
    }
  }
  return {
    play: async () => void (await Promise.all(stories.map(play))),
    ended: async (story, part) => {
      const playing = played.get(`${story}: ${part}`)
      if (!playing) throw new Error(`${story}: ${part} was not reached.`)
      await playing
    },
  }
}
