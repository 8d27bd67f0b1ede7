import { type ErrorMeta, type Handling, OpenLedgerError } from '@openledger/kit';

const table = {
  ENGINE_START_FAILED: ['fatal', 'Install Python 3.10 or newer with venv, then start again.'],
  ENGINE_EXITED: ['retry', 'The engine process ended; it is started again with the next request.'],
  ENGINE_FAILED: ['retry', 'See the engine’s log; the job is tried again.'],
  ENGINE_REFUSED: ['reject', 'Correct the request.'],
  ENGINE_TIMEOUT: ['retry', 'The request was called off because it took too long; make it smaller.'],
  ENGINE_CANCELLED: ['retry', 'The request was called off; send it again if it is still wanted.'],
  FILE_TOO_LARGE: ['reject', 'Files have at most 10,000,000 bytes.'],
  FILE_EMPTY: ['reject', 'Upload a file that has content.'],
  FILE_HASH_MISMATCH: ['reject', 'Send the bytes whose sha256 is in the URL.'],
  FILE_UNKNOWN: ['reject', 'Upload the file first.'],
  UPLOAD_UNAUTHORIZED: ['reject', 'Sign the upload with EIP-712 (see docs), with a deadline in the future.'],
  MODEL_UNKNOWN: ['reject', 'GET /v1/models lists what is served.'],
  REQUEST_INVALID: ['reject', 'See the OpenAI API reference for the parameters.'],
  PAYMENT_REQUIRED: ['reject', 'Open a channel to this runner and send a signed voucher (x402: PAYMENT-SIGNATURE).'],
  PAYMENT_INVALID: ['reject', 'Sign a higher cumulative amount for an open channel to this runner.'],
  TOO_MANY_REQUESTS: ['retry', 'Wait and try again.'],
  API_KEY_UNKNOWN: ['reject', 'Use a key of this runner, or leave the Authorization header out and pay by x402.'],
  QUOTA_EXCEEDED: ['retry', 'Wait as long as Retry-After says, or ask the operator for a higher quota.'],
  OPERATOR_CREDIT_EXHAUSTED: ['retry', 'The operator tops up the channel that pays for keyed calls.'],
  OVERLOADED: ['retry', 'Wait as long as Retry-After says; more requests wait than this runner holds.'],
  OPERATOR_ONLY: ['reject', 'Use a key that was made with --operator.'],
  ADAPTER_UNKNOWN: ['reject', 'Load the adapter first, or correct its name or path.'],
  ADAPTER_LOADED: ['reject', 'Unload the adapter of this name first, or choose another name.'],
  NAME_TAKEN: ['reject', 'Choose a name that no served model has.'],
  NOT_READY: ['retry', 'The runner is still reading the chain; wait some seconds.'],
  ALREADY_RUNNING: ['fatal', 'Stop the other runner of this key and database first.'],
  JOB_UNKNOWN: ['reject', 'Ask for a job that was requested on this chain.'],
  JOB_NOT_HELD: ['reject', 'Ask the runner that holds the job; the chain names it.'],
  JOB_STOPPING: ['retry', 'Wait some seconds and send it again.'],
  JOB_CONTROL_UNAUTHORIZED: [
    'reject',
    'Sign with the key of the job’s requester (EIP-712), with a deadline in the future.',
  ],
  JOB_SUPERSEDED: ['reject', 'Another runner holds or finished the job; nothing to do.'],
  JOB_NOT_HERE: [
    'retry',
    'Upload the datanet’s files to this runner and give it the base model, or leave the job to others.',
  ],
  JOB_IMPOSSIBLE: ['reject', 'Request the job again with valid parameters.'],
  AUDIT_UNAUTHORIZED: [
    'reject',
    'Sign with the key of the auditor or a juror (EIP-712 AuditAccess), while the audit runs.',
  ],
  OUTPUT_UNKNOWN: ['reject', 'Ask the runner that committed the output, within four days.'],
  TRANSCRIPT_INVALID: ['reject', 'The audited runner gave something else than what it committed to.'],
  PEER_UNREACHABLE: ['retry', 'Check that the runner’s announced endpoint can be reached from here.'],
  PEER_REFUSED: ['retry', 'See what the other runner answered.'],
  FLEET_UNREACHABLE: ['retry', 'Check the fleet’s URL and token; the work is tried again.'],
  CONFIG_INVALID: ['fatal', 'Correct the option; `--help` lists them.'],
  CHAIN_UNAVAILABLE: ['retry', 'Check the node’s RPC endpoint.'],
  TRANSACTION_REVERTED: ['reject', 'The contract refused; see the reason.'],
} as const satisfies Record<string, readonly [Handling, string]>;

export type RunnerErrorCode = keyof typeof table;

export const runnerError = (code: RunnerErrorCode, message: string, meta: ErrorMeta = {}, cause?: unknown) =>
  new OpenLedgerError(message, { code, handling: table[code][0], action: table[code][1], meta, cause });
