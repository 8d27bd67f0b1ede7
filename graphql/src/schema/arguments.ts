import { builder } from './builder.ts';
import type { Direction } from './page.ts';

export const ListOrder = builder.enumType('ListOrder', {
  values: {
    NEWEST_FIRST: { value: 'NEWEST_FIRST' satisfies Direction },
    OLDEST_FIRST: { value: 'OLDEST_FIRST' satisfies Direction },
  } as const,
});
