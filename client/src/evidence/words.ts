/** A folded word and where it stands: byte offsets [start, end) in the UTF-8 text. */
export type Word = { readonly text: string; readonly start: number; readonly end: number };

type Ranges = readonly (readonly [first: number, last: number])[];

/** Code points from U+0080 on that separate words. Inclusive, as in evidence-0, section 1. */
const separators: Ranges = [
  [0x80, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x2000, 0x206f],
  [0x20a0, 0x20cf],
  [0x2100, 0x2bff],
  [0x3000, 0x303f],
  [0xfe30, 0xfe4f],
  [0xff00, 0xff0f],
  [0xff1a, 0xff20],
  [0xff3b, 0xff40],
  [0xff5b, 0xff65],
  [0xfff0, 0xffff],
];

/** Scripts without spaces: each code point is a word of its own. */
const singles: Ranges = [
  [0x3040, 0x30ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7af],
  [0xf900, 0xfaff],
  [0x20000, 0x3ffff],
];

const capitals: readonly (readonly [first: number, last: number, distance: number])[] = [
  [0x41, 0x5a, 32],
  [0xc0, 0xd6, 32],
  [0xd8, 0xde, 32],
  [0x391, 0x3a1, 32],
  [0x3a3, 0x3a9, 32],
  [0x400, 0x40f, 80],
  [0x410, 0x42f, 32],
];

const within = (ranges: Ranges, code: number) => ranges.some(([first, last]) => first <= code && code <= last);

type Kind = 'separator' | 'letter' | 'single';

const kindOf = (code: number): Kind => {
  if (code >= 0x80) {
    if (within(separators, code)) return 'separator';
    return within(singles, code) ? 'single' : 'letter';
  }
  const digit = code >= 0x30 && code <= 0x39;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return digit || letter ? 'letter' : 'separator';
};

const folded = (code: number): number => {
  const found = capitals.find(([first, last]) => first <= code && code <= last);
  return found ? code + found[2] : code;
};

const utf8Length = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);

/**
 * The words of a text in order: maximal runs of letters, and single code points of unspaced scripts.
 *
 * @throws RangeError when the string holds half of a surrogate pair: it then is no text, and has no UTF-8
 */
export const splitWords = (text: string): Word[] => {
  const words: Word[] = [];
  let letters = '';
  let start = 0;
  let offset = 0;
  const finish = () => {
    if (letters) words.push({ text: letters, start, end: offset });
    letters = '';
  };
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) throw new RangeError(`half a surrogate pair at byte ${offset}`);
    const kind = kindOf(code);
    const end = offset + utf8Length(code);
    if (kind === 'letter') {
      if (!letters) start = offset;
      letters += String.fromCodePoint(folded(code));
    } else {
      finish();
      if (kind === 'single') words.push({ text: character, start: offset, end });
    }
    offset = end;
  }
  finish();
  return words;
};
