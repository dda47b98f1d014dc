import { setTimeout } from "node:timers/promises";
import type { Context, Span, SpanContext, Tracer as SpanMaker } from "@opentelemetry/api";
import type { Log } from "../log.js";
import type { StagePiece } from "../stages.js";
import { version } from "../version.js";
import type { CurrentTrace, TraceContext } from "./trace-context.js";
import { traceparentOf } from "./trace-context.js";

/** How a request ended. Routes have names in place of ids: nothing of a user's is in a trace. */
interface TracedResult {
  route: string;
  status: number;
  requestId: string;
  stages: readonly StagePiece[];
}

export interface TracedRequest extends CurrentTrace {
  end(result: TracedResult): void;
}

/** Makes the spans of requests, and sends them to a collector. */
export interface Tracer {
  /** @param parent  the caller's place in its trace, if it sent one. */
  request(method: string, parent: TraceContext | undefined): TracedRequest;
  /** Sends what is still buffered. */
  close(): Promise<void>;
}

/** A shutdown does not wait longer for the collector. */
const maxCloseMs = 3000;
/** A collector that is away is reported once a minute. */
const troublePauseMs = 60_000;

/**
 * Whether traces were asked for, here or by OpenTelemetry's own variables.
 * @param endpoint  our option; empty for none.
 */
function isAskedFor(endpoint: string, environment: NodeJS.ProcessEnv): boolean {
  if (environment.OTEL_SDK_DISABLED?.toLowerCase() === "true") return false;
  if (environment.OTEL_TRACES_EXPORTER === "none") return false;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } =
    environment;
  return [endpoint, all, traces].some((address) => address !== undefined && address.trim() !== "");
}

/**
 * Nothing of OpenTelemetry is loaded unless traces are asked for. Sampling, limits, headers and the
 * names of the resource follow its standard variables (OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME,
 * OTEL_EXPORTER_OTLP_HEADERS …).
 *
 * @param endpoint  of the collector, to which /v1/traces is added; empty for that of
 *   OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.
 */
export async function startTracer(endpoint: string, log: Log): Promise<Tracer | undefined> {
  if (!isAskedFor(endpoint, process.env)) return undefined;
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const quiet = () => undefined;
  const logTrouble = occasionally(log);
  const troubles = { warn: logTrouble, error: logTrouble };
  api.diag.setLogger({ ...troubles, info: quiet, debug: quiet, verbose: quiet });
  const protocol = process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? "http/json";
  if (!protocol.startsWith("http/"))
    log.warn(`Traces are sent by OTLP over HTTP, not by ${protocol} (OTEL_EXPORTER_OTLP_PROTOCOL)`);

  const named = { "service.name": "crossmodal", "service.version": version };
  const provider = new sdk.BasicTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes(named))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor(
        new OTLPTraceExporter(
          endpoint === "" ? {} : { url: `${endpoint.replace(/\/+$/, "")}/v1/traces` },
        ),
      ),
    ],
  });
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = api;
  const maker = provider.getTracer("crossmodal", version);
  const within = (span: SpanContext) => trace.setSpanContext(ROOT_CONTEXT, span);

  return {
    request(method, parent) {
      const traceFlags = parent?.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
      const around =
        parent === undefined ? ROOT_CONTEXT : within({ ...parent, traceFlags, isRemote: true });
      const attributes = { "http.request.method": method };
      const span = maker.startSpan(method, { kind: SpanKind.SERVER, attributes }, around);
      const inside = within(span.spanContext());
      return {
        context: contextOf(span),
        outgoing(sent, host) {
          const attributes = { "http.request.method": sent, "server.address": host };
          const call = maker.startSpan(sent, { kind: SpanKind.CLIENT, attributes }, inside);
          return {
            headers: { traceparent: traceparentOf(contextOf(call)) },
            end(status) {
              if (status !== undefined) call.setAttribute("http.response.status_code", status);
              const isFailure = status === undefined || status >= 400;
              if (isFailure) call.setStatus({ code: SpanStatusCode.ERROR });
              call.end();
            },
          };
        },
        end({ route, status, requestId, stages }) {
          if (span.isRecording()) for (const piece of stages) addPiece(maker, piece, inside);
          span.updateName(`${method} ${route}`);
          span.setAttributes({
            "http.route": route,
            "http.response.status_code": status,
            "crossmodal.request_id": requestId,
          });
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async close() {
      const sent = provider.shutdown().catch((error) => troubles.error(error.message));
      await Promise.race([sent, setTimeout(maxCloseMs, undefined, { ref: false })]);
    },
  };
}

const contextOf = (span: Span): TraceContext => {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return { traceId, spanId, isSampled: (traceFlags & 1) === 1 };
};

/** A stage that is over, as a span. */
function addPiece(maker: SpanMaker, piece: StagePiece, around: Context): void {
  const { stage, startMs, ms, model, batchSize } = piece;
  const startTime = performance.timeOrigin + startMs;
  const attributes = {
    ...(model !== undefined && { "crossmodal.model": model }),
    ...(batchSize !== undefined && { "crossmodal.batch_size": batchSize }),
  };
  maker.startSpan(stage, { startTime, attributes }, around).end(startTime + ms);
}

function occasionally(log: Log): (message: string) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + troublePauseMs;
    log.warn({ cause: message }, "traces could not be sent");
  };
}
