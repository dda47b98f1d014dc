import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withBatching } from "../../src/encoders/with-batching.js";
import { createLog } from "../../src/log.js";
import { mediaFetcher } from "../../src/media/fetch-media.js";
import { observeRequests, type RequestVariables } from "../../src/routes/request-context.js";
import { recordStage, timed } from "../../src/stages.js";
import { traceFields } from "../../src/tracing/trace-context.js";
import { startTracer, type Tracer } from "../../src/tracing/tracer.js";
import { fakeEncoder } from "../helpers/fake-encoder.js";

/** A span as OTLP/JSON has it. */
interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}

let servers: Server[] = [];
async function listen(answer: (request: IncomingMessage, body: string) => string) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.end(answer(request, body));
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let spans: SentSpan[];
let resource: Record<string, unknown>;
let paths: string[];
let collector: string;
beforeEach(async () => {
  spans = [];
  paths = [];
  for (const name of Object.keys(process.env))
    if (name.startsWith("OTEL_")) vi.stubEnv(name, undefined);
  collector = await listen((request, body) => {
    paths.push(`${request.method} ${request.url}`);
    for (const { resource: of, scopeSpans } of JSON.parse(body).resourceSpans) {
      resource = attributesOf(of);
      spans.push(...scopeSpans.flatMap((scope: { spans: SentSpan[] }) => scope.spans));
    }
    return "{}";
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers) server.close();
  servers = [];
});

const attributesOf = ({ attributes }: Pick<SentSpan, "attributes">) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const log = createLog("silent");
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const header = (flags = "01") => ({ traceparent: `00-${traceId}-${spanId}-${flags}` });

/** Routes of this test behind the middleware of the product. */
function appWith(tracer: Tracer | undefined, lines = log) {
  const fake = fakeEncoder();
  const encode: typeof fake.encode = async (texts) => {
    recordStage({ stage: "inference", startMs: performance.now(), ms: 1, model: "m" });
    return fake.encode(texts);
  };
  const encoder = withBatching({ ...fake, encode }, { maxBatch: 4 });
  return new Hono<RequestVariables>()
    .use(requestId())
    .use(observeRequests(lines, 60_000, tracer))
    .get("/items/:id", (c) => c.text("", c.req.param("id") === "broken" ? 503 : 200))
    .get("/embed", async (c) => {
      await timed("decode", async () => undefined);
      await encoder.encode([c.req.query("text")!], c.get("signal"));
      return c.text("");
    })
    .get("/log", (c) => c.json(traceFields()));
}

describe("traces", () => {
  it("are off, and nothing is loaded for them, unless a collector is named", async () => {
    expect(await startTracer("", log)).toBeUndefined();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    vi.stubEnv("OTEL_SDK_DISABLED", "true");
    expect(await startTracer("", log)).toBeUndefined();
    vi.stubEnv("OTEL_SDK_DISABLED", undefined);
    vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
    expect(await startTracer("", log)).toBeUndefined();
  });

  it("follow OpenTelemetry's own variables", async () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    vi.stubEnv("OTEL_SERVICE_NAME", "pictures");
    const tracer = await startTracer("", log);
    await appWith(tracer).request("/items/1");
    await tracer!.close();
    expect(paths).toEqual(["POST /v1/traces"]);
    expect(resource).toMatchObject({ "service.name": "pictures" });
    expect(spans.map(({ name }) => name)).toEqual(["GET /items/:id"]);
  });

  it("put a request below its caller, and its stages below it", async () => {
    const tracer = await startTracer(`${collector}/`, log);
    const app = appWith(tracer);
    await Promise.all([
      app.request("/embed?text=a", { headers: header() }),
      app.request("/embed?text=b"),
    ]);
    await tracer!.close();
    const requests = spans.filter(({ name }) => name === "GET /embed");
    const called = requests.find((span) => span.traceId === traceId)!;
    const own = requests.find((span) => span.traceId !== traceId)!;
    expect(called).toMatchObject({ parentSpanId: spanId, kind: 2 });
    expect(own.parentSpanId).toBeUndefined();
    // Both were in one batch; each has its stages for itself
    for (const request of [called, own]) {
      const below = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
      expect(below.map(({ name }) => name).sort()).toEqual(["decode", "inference", "queue"]);
      for (const span of below) {
        expect(span.traceId).toBe(request.traceId);
        expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
        expect(BigInt(span.startTimeUnixNano)).toBeLessThanOrEqual(BigInt(request.endTimeUnixNano));
      }
    }
    expect(resource).toMatchObject({ "service.name": "crossmodal" });
  });

  it("are recorded where the caller records them, and by OTEL_TRACES_SAMPLER without one", async () => {
    vi.stubEnv("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    const tracer = await startTracer(collector, log);
    const app = appWith(tracer);
    await app.request("/items/1", { headers: header("00") });
    await app.request("/items/2");
    await app.request("/items/3", { headers: header("01") });
    await tracer!.close();
    expect(spans.map((span) => span.traceId)).toEqual([traceId]);
  });

  it("have nothing of the user's: no address, no id, no header", async () => {
    const tracer = await startTracer(collector, log);
    const headers = { authorization: "Bearer hunter2hunter2", cookie: "session=hunter2" };
    await appWith(tracer).request("/items/hunter2?signature=hunter2", { headers });
    await tracer!.close();
    expect(spans).toHaveLength(1);
    expect(JSON.stringify(spans)).not.toContain("hunter2");
    expect(Object.keys(attributesOf(spans[0])).sort()).toEqual([
      "crossmodal.request_id",
      "http.request.method",
      "http.response.status_code",
      "http.route",
    ]);
  });

  it("tell failures of the server from answers", async () => {
    const tracer = await startTracer(collector, log);
    const app = appWith(tracer);
    for (const path of ["/items/broken", "/items/1", "/nowhere"]) await app.request(path);
    await tracer!.close();
    const failed = spans.map((span) => [attributesOf(span)["http.route"], span.status.code ?? 0]);
    expect(failed).toEqual([
      ["/items/:id", 2],
      ["/items/:id", 0],
      ["unmatched", 0],
    ]);
  });

  it("go on in the servers that media is fetched from", async () => {
    const seen: (string | undefined)[] = [];
    const media = await listen((request) => {
      seen.push(request.headers.traceparent as string | undefined);
      return "file";
    });
    const fetchMedia = mediaFetcher({
      hosts: ["*"],
      maxBytes: 100,
      timeoutMs: 5000,
      isAllowedAddress: () => true,
    });
    const tracer = await startTracer(collector, log);
    for (const one of [tracer, undefined]) {
      await new Hono<RequestVariables>()
        .use(observeRequests(log, 60_000, one))
        .get("/", async (c) => {
          await fetchMedia(`${media}/secret?token=hunter2`, c.get("signal"));
          return c.text("");
        })
        .request("/", { headers: header() });
    }
    await tracer!.close();
    const request = spans.find(({ kind }) => kind === 2)!;
    const call = spans.find(({ kind }) => kind === 3)!;
    expect(call.parentSpanId).toBe(request.spanId);
    expect(seen).toEqual([`00-${traceId}-${call.spanId}-01`, header().traceparent]);
    expect(attributesOf(call)).toMatchObject({ "server.address": new URL(media).host });
    expect(JSON.stringify(spans)).not.toContain("hunter2");
  });

  it("stand in the lines of the log, and a caller's even where none are sent", async () => {
    const lines: Record<string, unknown>[] = [];
    const written = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const ours = pino({ mixin: traceFields }, written);
    const answer = await appWith(undefined, ours).request("/log", { headers: header() });
    expect(await answer.json()).toEqual({ trace_id: traceId, span_id: spanId });
    expect(lines[0]).toMatchObject({ msg: "request", trace_id: traceId });
    await appWith(undefined, ours).request("/log", { headers: { traceparent: "00-x-y-01" } });
    expect(lines[1]).not.toHaveProperty("trace_id");
  });

  it("cost no request its answer while the collector is away, and the log says so once", async () => {
    const lines: string[] = [];
    const ours = pino({}, { write: (line: string) => void lines.push(line) });
    vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "300");
    const tracer = await startTracer("http://127.0.0.1:9", ours);
    expect((await appWith(tracer).request("/items/1")).status).toBe(200);
    await tracer!.close();
    expect(lines.filter((line) => line.includes("traces could not be sent"))).toHaveLength(1);
  });
});
