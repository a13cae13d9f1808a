import { jsonSchema } from '../shared/report/schema.ts'

// Run by hand after the document's shape changed: node cli/schema.ts > docs/report.schema.json
console.log(JSON.stringify(jsonSchema(), null, 2))
