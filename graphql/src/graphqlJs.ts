/**
 * GraphQL.js by the file that Node takes. Resolvers that prefer a package's `module` field (vitest's does) would give our
 * sources its other build, and types of one build are refused by the other, which our dependencies hold.
 */
export * from 'graphql/index.js';
