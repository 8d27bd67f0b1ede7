import { type ConfigOf, type ConfigTable, describeConfig, describeError, readConfig } from '@openledger/kit';
import { devnetCommand, devnetConfig } from './commands/devnet.ts';
import { nodeCommand } from './commands/node.ts';
import { explainCommand, rewardsConfig, verifyCommand } from './commands/rewards.ts';
import { runnerCommand } from './commands/runner.ts';
import { viewsCommand } from './commands/views.ts';
import { ENV_PREFIX, nodeConfig, runnerConfig, viewsConfig } from './options.ts';

type Command = { summary: string; table: ConfigTable; run(flags: Record<string, string>): Promise<void> };

/** DATABASE_URL is what every hosting platform sets; our own name wins. */
const env = { [`${ENV_PREFIX}_DATABASE_URL`]: process.env.DATABASE_URL, ...process.env };

const command = <T extends ConfigTable>(
  summary: string,
  table: T,
  run: (config: ConfigOf<T>) => Promise<void>,
): Command => ({
  summary,
  table,
  run: (flags) => run(readConfig(table, { prefix: ENV_PREFIX, flags, env })),
});

const commands: Readonly<Record<string, Command>> = {
  devnet: command('a whole network on this machine, with the walkthrough', devnetConfig, devnetCommand),
  node: command('an L2 node', nodeConfig, nodeCommand),
  views: command('the indexer and the GraphQL server', viewsConfig, viewsCommand),
  runner: command('a runner: trains, serves, attributes', runnerConfig, runnerCommand),
  'rewards verify': command('recompute an epoch’s root from the event log', rewardsConfig, verifyCommand),
  'rewards explain': command('where an account’s rewards come from', rewardsConfig, explainCommand),
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

const help = (): string =>
  Object.entries(commands)
    .map(([name, { summary, table }]) => `openledger ${name}: ${summary}\n${describeConfig(table, ENV_PREFIX)}`)
    .join('\n\n');

const main = async (args: readonly string[]): Promise<void> => {
  const firstFlag = args.findIndex((arg) => arg.startsWith('--'));
  const words = firstFlag === -1 ? args : args.slice(0, firstFlag);
  const name = words.join(' ');
  const chosen = commands[name];
  if (!chosen || args.includes('--help')) {
    console.log(chosen ? `openledger ${name}: ${chosen.summary}\n${describeConfig(chosen.table, ENV_PREFIX)}` : help());
    if (!chosen && name !== 'help' && name !== '') process.exitCode = 2;
    return;
  }
  await chosen.run(parseFlags(args.slice(words.length)));
};

main(process.argv.slice(2)).catch((error) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
