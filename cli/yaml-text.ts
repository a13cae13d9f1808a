import { stringify } from 'yaml'

/** CloudFormation reads YAML 1.1, in which a bare `yes` is a truth value, and reads no anchors. */
export const yamlText = (document: object): string =>
  stringify(document, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })
