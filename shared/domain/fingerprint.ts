/** FNV-1a, 64 bits in two halves. It detects changes; it does not protect against forgery. */
export const fingerprint = (text: string): string => {
  let [high, low] = [0xcbf29ce4, 0x84222325]
  for (const unit of new TextEncoder().encode(text)) {
    low = (low ^ unit) >>> 0
    // The prime is 2^40 + 0x1b3.
    const product = low * 0x1b3
    high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0
    low = product >>> 0
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
}
