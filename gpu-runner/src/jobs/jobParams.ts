import type { Job } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';

const MAX_NAME_BYTES = 128;

/** What the requester set, without the adapter's name. @throws JOB_IMPOSSIBLE */
export const trainingParams = ({ params: text }: Job): Record<string, unknown> => {
  const { name: _name, ...params } = parse(text);
  return params;
};

/** The name that the requester gave the adapter, or one after the job. */
export const adapterName = (job: Job): string => {
  const { name } = parse(job.params);
  return typeof name === 'string' && name.length > 0 && Buffer.byteLength(name) <= MAX_NAME_BYTES
    ? name
    : `adapter-${job.id}`;
};

const parse = (text: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw runnerError('JOB_IMPOSSIBLE', 'the parameters are not JSON', {}, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw runnerError('JOB_IMPOSSIBLE', 'the parameters are not a JSON object');
};
