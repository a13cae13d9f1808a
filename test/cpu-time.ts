/** Milliseconds that this process itself has worked: what else the machine does counts for nothing. */
export const cpuTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
