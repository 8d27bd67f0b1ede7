import { GraphQLError, Kind, type ValueNode } from '../graphqlJs.ts';
import { builder } from './builder.ts';

const refuse = (expected: string): never => {
  throw new GraphQLError(`expected ${expected}`, { extensions: { code: 'BAD_VALUE' } });
};

/** A literal's text; anything else than a string or an integer is refused by the parser it is given to. */
const literalText = (node: ValueNode): unknown =>
  node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : undefined;

const textScalar = (
  name: 'Address' | 'Hex32' | 'Uint256',
  description: string,
  parse: (text: string) => string | undefined,
): void => {
  const parseValue = (value: unknown): string => {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    return parse(text) ?? refuse(description);
  };
  builder.scalarType(name, {
    description,
    serialize: (value) => value,
    parseValue,
    parseLiteral: (node) => parseValue(literalText(node)),
  });
};

const hexOf = (bytes: number) => {
  const pattern = new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`);
  return (text: string): string | undefined => (pattern.test(text) ? text.toLowerCase() : undefined);
};

textScalar('Address', 'an address: 0x and 40 hex digits, answered in lower case', hexOf(20));
textScalar('Hex32', 'a hash: 0x and 64 hex digits, answered in lower case', hexOf(32));
textScalar('Uint256', 'an integer from 0 to 2^256-1 as a decimal string', (text) =>
  /^\d{1,78}$/.test(text) && BigInt(text) < 2n ** 256n ? BigInt(text).toString() : undefined,
);

const parseLong = (value: unknown): number => {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : refuse('an integer up to 2^53-1');
};
builder.scalarType('Long', {
  description: 'an integer up to 2^53-1',
  serialize: (value) => value,
  parseValue: parseLong,
  parseLiteral: (node) => parseLong(literalText(node)),
});

builder.scalarType('JSON', {
  description: 'any JSON value; integers above 32 bits are decimal strings',
  serialize: (value) => value,
  parseValue: () => refuse('nothing: JSON is for answers only'),
});
