import { stringify } from 'yaml'

/** CloudFormation reads YAML 1.1, in which an unquoted `yes` is a boolean, and supports no anchors. */
export const yamlText = (document: object): string =>
  stringify(document, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })
