import { invalidParams, serverError } from '../rpcError.ts';
import { createCallTracer } from './callTracer.ts';
import { createStructLogger } from './structLogger.ts';
import type { Tracer } from './tracer.ts';

/** The tracer that geth's options object asks for; struct logs when it names none. @throws -32602, -32000 */
export const toTracer = (value: unknown, index: number): (() => Tracer) => {
  const options = (value ?? {}) as Record<string, unknown>;
  if (typeof options !== 'object' || Array.isArray(options))
    throw invalidParams(`invalid argument ${index}: expected an object`);
  const config = (options.tracerConfig ?? {}) as Record<string, unknown>;
  switch (options.tracer ?? '') {
    case '':
      return () =>
        createStructLogger({
          disableStack: options.disableStack === true,
          disableStorage: options.disableStorage === true,
          enableMemory: options.enableMemory === true,
          enableReturnData: options.enableReturnData === true,
          limit: typeof options.limit === 'number' ? options.limit : 0,
        });
    case 'callTracer':
      return () => createCallTracer({ onlyTopCall: config.onlyTopCall === true, withLog: config.withLog === true });
    default:
      throw serverError(
        `no tracer ${JSON.stringify(options.tracer)}; there are "callTracer" and the default struct logger`,
      );
  }
};
