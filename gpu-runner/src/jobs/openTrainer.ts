import type { Lifecycle, Logger } from '@openledger/kit';
import { openSharedBackend } from '../queue/backend.ts';
import { startFleetServer } from '../store/fleetServer.ts';
import { fleetTrainer, openFleetQueue } from './fleetTrainer.ts';
import { type LocalTrainerModules, localTrainer } from './localTrainer.ts';
import type { Trainer } from './training.ts';

/** Machines that train for this runner: the queue that they share, and where they get and leave files. */
export type FleetOptions = { queueUrl: string; host: string; port: number; token: string };

/** Training on this machine, or on those of a fleet. */
export const openTrainer = async (
  fleet: FleetOptions | undefined,
  modules: LocalTrainerModules & { lifecycle: Lifecycle; log: Logger },
): Promise<Trainer> => {
  if (!fleet) return localTrainer(modules);
  const { lifecycle, store, log } = modules;
  const backend = await openSharedBackend(fleet.queueUrl);
  lifecycle.add({ name: 'fleet queue connection', close: backend.close });
  const queue = await openFleetQueue({ backend, log });
  lifecycle.add({ name: 'fleet queue', close: queue.close });
  const server = await startFleetServer({ store, ...fleet, log });
  lifecycle.add({ name: 'fleet files', close: server.close });
  log.info({ url: server.url }, 'workers get and leave files here');
  return fleetTrainer(queue);
};
