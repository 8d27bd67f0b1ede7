import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Copies evidence-0's table of ordinary English into a module, byte for byte, so that a browser has it without a request.
 * `node --import tsx client/scripts/referenceWords.ts`; a test fails when the copy is stale.
 */
const table = new URL('../../gpu-runner/engine/openledger_engine/evidence/reference-words.json', import.meta.url);
const target = new URL('../src/evidence/generated/referenceWords.ts', import.meta.url);
const text = readFileSync(table, 'utf8');
writeFileSync(
  target,
  `/** Made by client/scripts/referenceWords.ts. */\nexport const referenceWordsJson = ${JSON.stringify(text)};\n`,
);
