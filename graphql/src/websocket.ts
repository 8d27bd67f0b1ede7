import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { GraphqlLimits } from './config.ts';
import { GraphQLError } from './graphqlJs.ts';
import type { GraphqlMetrics } from './metrics.ts';
import type { GraphqlYoga } from './yoga.ts';

export type WebsocketOptions = {
  server: Server;
  yoga: GraphqlYoga;
  limits: GraphqlLimits;
  corsOrigins: readonly string[];
  metrics: GraphqlMetrics;
};

type Enveloped = ReturnType<GraphqlYoga['getEnveloped']>;
/** The enveloped functions of an operation travel in its root value, where graphql-ws hands them back. */
type Root = Pick<Enveloped, 'execute' | 'subscribe'>;

const refuse = (socket: Socket, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
};

/**
 * graphql-ws on the same path as HTTP, with the same limits and masking. Browsers send an Origin and don't ask for leave
 * with WebSockets, so foreign pages are turned away here.
 */
export const serveWebsocket = ({ server, yoga, limits, corsOrigins, metrics }: WebsocketOptions) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.bodyBytes });
  const running = new WeakMap<object, number>();

  const transport = useServer(
    {
      execute: (args) => (args.rootValue as Root).execute(args),
      subscribe: (args) => (args.rootValue as Root).subscribe(args),
      onConnect: ({ extra }) => {
        metrics.sockets(1);
        running.set(extra, 0);
      },
      onClose: () => metrics.sockets(-1),
      onSubscribe: async ({ extra }, _id, params) => {
        const operations = running.get(extra) ?? 0;
        if (operations >= limits.subscriptionsPerSocket) {
          const extensions = { code: 'TOO_MANY_SUBSCRIPTIONS' };
          return [new GraphQLError(`more than ${limits.subscriptionsPerSocket} operations at a time`, { extensions })];
        }
        const { schema, parse, validate, execute, subscribe, contextFactory } = yoga.getEnveloped({
          request: undefined,
          params,
        });
        try {
          const document = parse(params.query);
          const errors = validate(schema, document);
          if (errors.length > 0) return errors;
          running.set(extra, operations + 1);
          return {
            schema,
            document,
            operationName: params.operationName ?? null,
            variableValues: params.variables ?? null,
            contextValue: await contextFactory(),
            rootValue: { execute, subscribe } satisfies Root,
          };
        } catch (error) {
          return [error instanceof GraphQLError ? error : new GraphQLError('bad request')];
        }
      },
      onComplete: ({ extra }) => {
        running.set(extra, Math.max(0, (running.get(extra) ?? 0) - 1));
      },
    },
    sockets,
  );

  const allowed = (origin: string | undefined, host: string | undefined): boolean =>
    origin === undefined ||
    corsOrigins.includes('*') ||
    corsOrigins.includes(origin) ||
    (URL.canParse(origin) && new URL(origin).host === host);

  server.on('upgrade', (request, socket: Socket, head) => {
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/graphql') return refuse(socket, '404 Not Found');
    if (!allowed(request.headers.origin, request.headers.host)) return refuse(socket, '403 Forbidden');
    if (sockets.clients.size >= limits.sockets) return refuse(socket, '503 Service Unavailable');
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
  });

  return {
    close: async (): Promise<void> => {
      await transport.dispose();
    },
  };
};
