/** File name extensions in the order of the contract's `Format` enum. */
export const formatNames = [
  'md',
  'pdf',
  'docx',
  'txt',
  'png',
  'jpg',
  'jpeg',
  'webp',
  'tiff',
  'bmp',
  'wav',
  'mp3',
  'flac',
] as const;

export const MAX_FILE_BYTES = 10_000_000;

export const formatName = (format: number): string => formatNames[format] ?? 'unknown';
