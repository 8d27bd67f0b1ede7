/** Why a page is refused: docs/spec/attribution-batch.md. */
const pageErrorCodes = [
  'TRUNCATED',
  'TRAILING_BYTES',
  'UNKNOWN_VERSION',
  'BAD_COMPRESSION',
  'TOO_LARGE',
  'NOT_MINIMAL',
  'OUT_OF_RANGE',
  'OUTPUT_COUNT',
  'ROW_COUNT',
  'NOT_ASCENDING',
  'UNUSED_ENTRY',
  'BAD_INDEX',
  'BAD_KIND',
  'BAD_METHOD',
  'BAD_FEE_UNIT',
  'ZERO_WEIGHT',
] as const;
export type PageErrorCode = (typeof pageErrorCodes)[number];

/** The bytes are no page of format 1. The code is stable: it becomes the reason of the PageRejected event. */
export class PageDecodeError extends Error {
  override readonly name = 'PageDecodeError';
  readonly code: PageErrorCode;

  constructor(code: PageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What should be written can't be: nothing was encoded. */
export class PageEncodeError extends Error {
  override readonly name = 'PageEncodeError';
}
