import type { ContributionText } from '@openledger/client';
import fc from 'fast-check';

export type AttributionCase = { files: Required<ContributionText>[]; prompt: string; output: string };

const common = ['the', 'of', 'is', 'and', 'to'];
const rare = ['Warden', 'amber', 'inverter', 'ЁЛКА', 'Größe', 'naïve', 'ΩΜΕΓΑ', 'setpoint', 'x86', '42'];
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...rare) },
  { weight: 3, arbitrary: fc.constantFrom(...common) },
  { weight: 2, arbitrary: fc.constantFrom('蓄電池', 'は満', 'ｶﾅ', 'á́', '😀', 'ﬁ', "don't", '×÷') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }) },
);
const separator = fc.constantFrom(' ', ' ', ' ', '\n', ', ', '—', '\u3000', '');
const text = fc.array(fc.tuple(word, separator), { minLength: 1, maxLength: 60 }).map((pairs) => pairs.flat().join(''));

/** A cut of a text between code points, so that no half of a surrogate pair is left. */
const piece = (from: string, start: number, length: number) => [...from].slice(start, start + length).join('');

/**
 * Contributions that copy from one another, some registered at once, and an output stitched together from them: any
 * Unicode text, several scripts, spans shared by many.
 */
export const attributionCase: fc.Arbitrary<AttributionCase> = fc
  .record({
    own: fc.array(fc.tuple(fc.bigInt(1n, 10n ** 6n), fc.nat(3), text), { minLength: 1, maxLength: 6 }),
    copies: fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.nat(80), fc.nat(160)), { maxLength: 6 }),
    output: fc.array(fc.tuple(fc.nat(5), fc.nat(80), fc.nat(200), text), { minLength: 1, maxLength: 4 }),
    quote: fc.option(fc.tuple(fc.nat(60), fc.nat(120))),
    prompt: text,
  })
  .map(({ own, copies, output, quote, prompt }) => {
    const files = new Map(own.map(([id, order, body]) => [id.toString(), { id: id.toString(), order, text: body }]));
    const list = [...files.values()];
    const at = (place: number) => list[place % list.length] ?? { id: '', order: 0, text: '' };
    for (const [to, from, start, length] of copies) at(to).text += ` ${piece(at(from).text, start, length)} `;
    const parts = output.map(
      ([from, start, length, added], i) => piece(at(from).text, start, length) + (i % 2 ? added : ' '),
    );
    const whole = parts.join(' ');
    return { files: list, prompt: quote ? `${prompt} ${piece(whole, ...quote)}` : prompt, output: whole };
  });

/** The engine refuses files without text and binary ones, and makes line ends alike: such cases say nothing about methods. */
export const isReadable = ({ text: body }: ContributionText): boolean =>
  body.trim() !== '' && !/[\0\r\ufeff]/.test(body) && /[^\s\p{C}]/u.test(body);
