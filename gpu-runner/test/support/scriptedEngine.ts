import type { Engine, RequestOptions } from '../../src/engine/engineProcess.ts';
import { runnerError } from '../../src/errors.ts';

type Params = Record<string, unknown>;
export type EngineScript = Record<string, (params: Params, options: RequestOptions) => unknown>;

/** An engine that answers by script and remembers what it was asked. */
export class ScriptedEngine implements Engine {
  readonly calls: { method: string; params: Params }[] = [];
  script: EngineScript;

  constructor(script: EngineScript) {
    this.script = script;
  }

  async request<T>(method: string, params: Params, options: RequestOptions = {}): Promise<T> {
    this.calls.push({ method, params });
    const answer = this.script[method];
    if (!answer) throw runnerError('ENGINE_REFUSED', `there is no method ${method}`, { code: 'unknown_method' });
    return (await answer(params, options)) as T;
  }

  /** The parameters of all requests of one method, in order. */
  asked(method: string): Params[] {
    return this.calls.filter((call) => call.method === method).map(({ params }) => params);
  }

  async close(): Promise<void> {}
}

/** As the real one answers. */
export const engineError = (code: string, message: string, reason?: string) =>
  runnerError(code === 'internal' ? 'ENGINE_FAILED' : 'ENGINE_REFUSED', message, {
    code,
    ...(reason === undefined ? {} : { reason }),
  });
