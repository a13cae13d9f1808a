/** What stays when the stack is deleted, by its name in the template, and why. docs/deploy.md says the same. */
export const survivors: Record<string, string> = {
  'AWS::DynamoDB::Table': 'the records are evidence',
  'AWS::KMS::Key': 'what was encrypted with it can still be read',
  'AWS::S3::Bucket': 'the daily reports are what an auditor asks for',
  'AWS::Logs::LogGroup':
    'the logs say what was done; their lines expire after `logRetentionDays`, the empty groups stay',
}
