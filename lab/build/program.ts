/** A program of the lab that is built from a Go module of its own (a folder with go.mod and go.sum in `lab/`). */
export interface Program {
  readonly folder: string
  /** What `go build` is asked for in that folder. */
  readonly package: string
  /** Values of string variables that the linker sets, by their full name. */
  readonly stamps: Readonly<Record<string, string>>
  /** What the first build costs, for who waits for it. */
  readonly cost: string
  /** Folders of other Go modules that are kept in `manifests/` beside the binary, so that using it needs no Go. */
  readonly manifests: readonly Manifests[]
  /** In addition to the environment of the build: `CGO_ENABLED`. */
  readonly environment?: Readonly<Record<string, string>>
  /** Beside the flags that every program is built with. */
  readonly flags?: readonly string[]
}

interface Manifests {
  /** As `go mod download` takes it: a bare path stands for the version in go.mod. */
  readonly module: string
  readonly from: string
  readonly to: string
}
