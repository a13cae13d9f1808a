/** A file of this package, by its path in it: from here, and from the bundle, the package's folder is one up. */
export const ownFile = (path: string): URL => new URL(`../${path}`, import.meta.url)
