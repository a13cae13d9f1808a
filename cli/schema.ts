import { historyJsonSchema } from '../shared/report/history/schema.ts'
import { jsonSchema } from '../shared/report/schema.ts'

// Run by hand after a document's shape changed: npm run schema
console.log(JSON.stringify(process.argv[2] === 'history' ? historyJsonSchema() : jsonSchema(), null, 2))
