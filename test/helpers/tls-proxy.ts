import { connect, createServer } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";

const sslRequest = 80_877_103;

/**
 * A PostgreSQL server with TLS before one without: asks for it as PostgreSQL does, and passes on
 * what comes.
 * @returns its port on `host`.
 */
export async function tlsProxy(
  to: { port: number; host: string },
  host: string,
  options: TLSSocketOptions,
): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (first) => {
      if (first.length !== 8 || first.readInt32BE(4) !== sslRequest) return socket.destroy();
      socket.write("S");
      const secure = new TLSSocket(socket, { isServer: true, ...options });
      const plain = connect(to.port, to.host);
      for (const one of [secure, plain]) {
        one.on("error", () => undefined);
        one.on("close", () => {
          secure.destroy();
          plain.destroy();
        });
      }
      secure.pipe(plain).pipe(secure);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  return { port, close: () => server.close() };
}
