export { defaultLimits, type GraphqlLimits, graphqlConfig } from './config.ts';
export type { ProvisionalFeed } from './liveProvisional.ts';
export { type ReadinessReason, readinessReasons } from './readiness.ts';
export { printedSchema } from './schema/schema.ts';
export { createGraphqlServer, type GraphqlServer, type GraphqlServerOptions } from './server.ts';
