/**
 * The text of an md or txt file as every method here takes it: UTF-8 without byte order mark, line feeds only.
 *
 * @throws TypeError when the bytes are no UTF-8
 */
export const textOfFile = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
