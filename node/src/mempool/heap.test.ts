import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';

describe('Heap', () => {
  it('gives back what was put in, first things first, whatever the order of pushes and pops', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer())), (actions) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const action of actions) {
          if (action === null) expect(heap.pop()).toBe(model.shift());
          else {
            heap.push(action);
            model.push(action);
            model.sort((a, b) => a - b);
          }
        }
        for (const value of model) expect(heap.pop()).toBe(value);
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});
