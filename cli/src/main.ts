import { describeConfig, describeError } from '@openledger/kit';
import { type Command, ENV_PREFIX } from './options.ts';

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./commands/init.ts')).command,
  devnet: async () => (await import('./commands/devnet.ts')).command,
  node: async () => (await import('./commands/node.ts')).command,
  batcher: async () => (await import('./commands/batcher.ts')).command,
  proposer: async () => (await import('./commands/proposer.ts')).command,
  views: async () => (await import('./commands/views.ts')).command,
  runner: async () => (await import('./commands/runner.ts')).command,
  worker: async () => (await import('./commands/worker.ts')).command,
  'runner jobs': async () => (await import('./commands/runnerJobs.ts')).command,
  'runner keys add': async () => (await import('./commands/runnerKeys.ts')).addCommand,
  'runner keys list': async () => (await import('./commands/runnerKeys.ts')).listCommand,
  'runner keys revoke': async () => (await import('./commands/runnerKeys.ts')).revokeCommand,
  'rewards verify': async () => (await import('./commands/rewards.ts')).verifyCommand,
  'rewards explain': async () => (await import('./commands/rewards.ts')).explainCommand,
  'rewards publish': async () => (await import('./commands/rewards.ts')).publishCommand,
  'rewards propose': async () => (await import('./commands/distributor.ts')).proposeCommand,
  'rewards finalize': async () => (await import('./commands/distributor.ts')).finalizeCommand,
  'rewards serve': async () => (await import('./commands/distributor.ts')).serveCommand,
  'rewards watch': async () => (await import('./commands/distributor.ts')).watchCommand,
};

/** `--flag value`, `--flag=value`, `--flag` (true) and `--no-flag` (false). */
const parseFlags = (args: readonly string[]): Record<string, string> => {
  const flags: Record<string, string> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (!arg.startsWith('--')) throw new TypeError(`unexpected argument ${arg}`);
    const [name = '', inline] = arg.slice(2).split(/=(.*)/s);
    const following = args[i + 1];
    if (inline !== undefined) flags[name] = inline;
    else if (following !== undefined && !following.startsWith('--')) {
      flags[name] = following;
      i++;
    } else if (name.startsWith('no-')) flags[name.slice(3)] = 'false';
    else flags[name] = 'true';
  }
  return flags;
};

const helpOf = async (name: string): Promise<string> => {
  const { summary, table } = (await commands[name]?.()) ?? { summary: '', table: {} };
  return `openledger ${name}: ${summary}\n${describeConfig(table, ENV_PREFIX)}`;
};

const main = async (args: readonly string[]): Promise<void> => {
  const firstFlag = args.findIndex((arg) => arg.startsWith('--'));
  const words = firstFlag === -1 ? args : args.slice(0, firstFlag);
  const name = words.join(' ');
  const load = commands[name];
  if (!load) {
    for (const known of Object.keys(commands)) console.log(`${await helpOf(known)}\n`);
    if (name !== 'help' && name !== '') process.exitCode = 2;
  } else if (args.includes('--help')) console.log(await helpOf(name));
  else await (await load()).run(parseFlags(args.slice(words.length)));
};

main(process.argv.slice(2)).catch((error) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
