import { AsyncLocalStorage } from "node:async_hooks";

/** A place in a trace that spans several programs. */
export interface TraceContext {
  /** 32 and 16 lower-case hexadecimal digits, neither all zeros. */
  traceId: string;
  spanId: string;
  /** Whether the caller records the trace. */
  isSampled: boolean;
}

/**
 * The header `traceparent`; undefined for anything invalid, which counts as not sent. Of future
 * versions, the part they share with version 00 is read.
 *
 * Source: W3C Trace Context, 3.2.
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const parts = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(header ?? "");
  if (parts === null) return undefined;
  const [, version, traceId, spanId, flags, more] = parts;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const traceparentOf = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;

/** A request to another server, as a trace shows it. */
export interface OutgoingRequest {
  /** Sent along with the request. */
  headers: Record<string, string>;
  /** @param status  of the answer; undefined when there was none. */
  end(status?: number): void;
}

/** The trace that work belongs to. */
export interface CurrentTrace {
  context: TraceContext;
  /** Starts a span of a request to another server; absent where no spans are made. */
  outgoing?(method: string, host: string): OutgoingRequest;
}

const current = new AsyncLocalStorage<CurrentTrace>();

/** Runs `work`, and everything it awaits, within a trace. */
export function withTrace<T>(trace: CurrentTrace | undefined, work: () => T): T {
  return trace === undefined ? work() : current.run(trace, work);
}

export const currentTrace = (): CurrentTrace | undefined => current.getStore();

/** To be called for each request to another server: its place in the current trace (if any). */
export function traceOutgoing(method: string, host: string): OutgoingRequest {
  const trace = currentTrace();
  if (trace === undefined) return { headers: {}, end: () => {} };
  if (trace.outgoing !== undefined) return trace.outgoing(method, host);
  return { headers: { traceparent: traceparentOf(trace.context) }, end: () => {} };
}

/** The fields of log lines for the current trace. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const context = currentTrace()?.context;
  return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
}
