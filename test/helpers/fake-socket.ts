import { EventEmitter } from "node:events";

let ports = 1024;

/** A connection of a server without a port. */
export class FakeSocket extends EventEmitter {
  isOpen = true;
  readonly remotePort = ports++;
  readonly remoteAddress: string | undefined;
  readonly response = new EventEmitter();
  /** Bytes of answers that the client has not read. */
  writableLength = 0;
  readonly _handle = { bytesWritten: 0, writeQueueSize: 0 };
  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }
  /** Sends a request to the server, which is to be told of the connection before. */
  ask(server: EventEmitter): this {
    server.emit("request", { socket: this }, this.response);
    return this;
  }
  answer(): this {
    this.response.emit("close");
    return this;
  }
  writes(bytes: number): void {
    this.writableLength += bytes;
    this._handle.bytesWritten += bytes;
    this._handle.writeQueueSize += bytes;
  }
  reads(bytes: number): void {
    this.writableLength -= bytes;
    this._handle.writeQueueSize -= bytes;
  }
  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    setImmediate(() => this.emit("close"));
  }
}
