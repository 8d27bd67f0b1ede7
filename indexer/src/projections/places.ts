import { type AttributionPage, decodePage } from '@openledger/contracts';
import type { BlockEntry, ChainEvent } from '@openledger/event-log';
import { positionOf } from '../position.ts';

export type Placed = {
  readonly event: ChainEvent;
  readonly position: number;
  readonly page: AttributionPage | undefined;
};

/**
 * A block's events with their positions. The outputs of a page and their attributions take the positions after its event,
 * so that everything on the chain has a position of its own.
 */
export const placeEvents = (block: BlockEntry): Placed[] => {
  let index = 0;
  return block.events.map((event) => {
    const position = positionOf(block.number, index);
    const page = event.type === 'PageRecorded' ? decodePage(event.args.data) : undefined;
    index += 1 + (page ? page.size + page.weights.length : 0);
    return { event, position, page };
  });
};
