import { writeForMoto } from './stacks.ts'

/** The last step of the app in a checkout whose AWS is moto. The CDK's command line says where the assembly goes. */
writeForMoto(process.env['CDK_OUTDIR'] ?? 'cdk.out', 'CalicoIpvsSync')
