const words: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
}

/** Why a file was not read, in words for people; another error's own message where it has no system code. */
export const whyUnread = (error: unknown): string =>
  words[String((error as NodeJS.ErrnoException).code)] ?? (error instanceof Error ? error.message : String(error))
