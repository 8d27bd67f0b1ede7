import { deadLettersOf } from '@openledger/gpu-runner';
import { type ConfigTable, parseText } from '@openledger/kit';
import { defineCommand } from '../options.ts';

const table = {
  dataDir: {
    flag: 'datadir',
    description: 'the folder of a running runner',
    parse: parseText,
    default: '.openledger/runner',
  },
} satisfies ConfigTable;

/** `openledger runner jobs`: one JSON object a line, the reason in each. */
export const command = defineCommand('lists the tasks that a running runner has given up', table, async (config) => {
  for (const letter of await deadLettersOf(config.dataDir)) console.log(JSON.stringify(letter));
});
