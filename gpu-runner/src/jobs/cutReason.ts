/** Bytes that the contracts take as a reason (Text.MAX_DESCRIPTION). */
const MAX_REASON_BYTES = 1024;

/** As much of a text as the contracts take, in whole characters: one byte more and nothing would be recorded at all. */
export const cutReason = (text: string): string =>
  // A streaming decoder holds back the character that the cut went through.
  new TextDecoder().decode(Buffer.from(text).subarray(0, MAX_REASON_BYTES), { stream: true });
