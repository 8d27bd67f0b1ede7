import type { Suite } from './suite.ts';

/** In the order in which they are run. */
export const suites: readonly Suite[] = [];
