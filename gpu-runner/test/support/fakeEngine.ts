import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** A process that speaks the engine's framing and does what each request's method says. It ignores its arguments. */
const source = (msgpackr: string) => `#!${process.execPath}
const { Packr } = require(${JSON.stringify(msgpackr)});
const packr = new Packr({ useRecords: false, mapsAsObjects: true });
const framed = (value) => {
  const body = packr.pack(value);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
};
const write = (bytes) => process.stdout.write(bytes);
const waiting = new Map();
let held;
const methods = {
  echo: (id, params) => write(framed({ id, result: params })),
  env: (id) => write(framed({ id, result: { ...process.env } })),
  pid: (id) => write(framed({ id, result: process.pid })),
  fail: (id, error) => write(framed({ id, error })),
  // Every frame in one write, a stranger's among them: a pipe gives them to the reader together.
  burst: (id, { texts }) =>
    write(Buffer.concat([
      ...texts.map((text) => framed({ id, event: 'token', data: { text } })),
      framed({ id: 4_000_000, result: 'nobody asked' }),
      framed({ id, event: 'bare' }),
      framed({ id, result: texts.join('') }),
    ])),
  wait: (id) => {
    waiting.set(id, true);
    write(framed({ id, event: 'waiting', data: {} }));
  },
  // Sends two bytes of the result's header now, the rest in two pieces when asked.
  hold: (id) => {
    held = framed({ id, result: 'whole' });
    write(Buffer.concat([framed({ id, event: 'held', data: {} }), held.subarray(0, 2)]));
  },
  rest: (id) => {
    write(held.subarray(2, 7));
    write(Buffer.concat([held.subarray(7), framed({ id, result: 'rest' })]));
  },
  raw: (id, { hex }) => write(Buffer.from(hex, 'hex')),
  exit: (id, { code }) => process.exit(code),
  stay: (id) => {
    setInterval(() => {}, 1_000);
    write(framed({ id, result: {} }));
  },
  stderr: (id) => process.stderr.write('one line\\n', () => write(framed({ id, result: {} }))),
};
let buffer = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
    const end = 4 + buffer.readUInt32BE(0);
    const { id, method, params, cancel } = packr.unpack(buffer.subarray(4, end));
    buffer = buffer.subarray(end);
    if (!cancel) methods[method](id, params);
    else if (waiting.delete(id)) write(framed({ id, error: { code: 'cancelled', message: 'called off' } }));
  }
});
`;

/** Writes the program; its path stands for the Python interpreter. */
export const makeFakeEngine = (): { path: string; remove(): void } => {
  const folder = mkdtempSync(join(tmpdir(), 'openledger-engine-'));
  const path = join(folder, 'fake-engine.cjs');
  writeFileSync(path, source(require.resolve('msgpackr')));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
};
