/** A fault that somebody could make in the product. The text must stand in the file exactly once. */
export interface Mutant {
  name: string
  file: string
  from: string
  to: string
}
