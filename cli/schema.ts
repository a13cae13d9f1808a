import { historyJsonSchema } from '../shared/report/history/schema.ts'
import { jsonSchema } from '../shared/report/schema.ts'

// Run manually after the format of a document changed: npm run schema
console.log(JSON.stringify(process.argv[2] === 'history' ? historyJsonSchema() : jsonSchema(), null, 2))
