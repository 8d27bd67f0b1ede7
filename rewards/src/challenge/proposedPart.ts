import type { Part, PartView, ProvenChunk } from '../trace/partView.ts';

/** Thrown where a search can't go on without a chunk that nobody has published. */
export class ChunkNeeded extends Error {
  override readonly name = 'ChunkNeeded';
  readonly part: Part;
  readonly index: number;

  constructor(part: Part, index: number) {
    super(`chunk ${index} of the ${part} is needed`);
    this.part = part;
    this.index = index;
  }
}

/** @throws ChunkNeeded */
export const needChunk = (view: PartView, part: Part, index: number): ProvenChunk => {
  const chunk = view.chunk(index);
  if (!chunk) throw new ChunkNeeded(part, index);
  return chunk;
};
