import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/client.js";
import type { OpenApiDocument } from "../../src/openapi/document.js";
import type { Services } from "../../src/services.js";
import { startApp } from "../helpers/services.js";

/**
 * A call of every operation, by its name in /openapi.json: each path parameter is its own name, a
 * version 7, and every query parameter is given.
 */
const calls: Record<string, (client: Client) => unknown> = {
  getAccess: (c) => c.getAccess(),
  zeroShot: (c) => c.zeroShot({ text: "t", candidate_labels: ["a"] }),
  embeddings: (c) => c.embeddings({ input: ["t"] }),
  modalityGap: (c) => c.modalityGap({ collection: "c" }),
  calibrate: (c) => c.calibrate({ name: "n", collection: "c" }),
  listCalibrations: (c) => c.listCalibrations(),
  getCalibration: (c) => c.getCalibration("name"),
  deleteCalibration: (c) => c.deleteCalibration("name"),
  activateCalibration: (c) => c.activateCalibration("name", { version: 7 }),
  createCollection: (c) => c.createCollection({ name: "c" }),
  listCollections: (c) => c.listCollections(),
  getCollection: (c) => c.getCollection("name"),
  changeCollection: (c) => c.changeCollection("name", { fields: [] }),
  deleteCollection: (c) => c.deleteCollection("name"),
  listAliases: (c) => c.listAliases(),
  putAlias: (c) => c.putAlias("alias", { collection: "c" }),
  deleteAlias: (c) => c.deleteAlias("alias"),
  moveCollection: (c) => c.moveCollection("name", { model: "m", into: "other" }),
  collectionFields: (c) =>
    c.collectionFields("name", { filter: "{}", modality: "text", values: 5 }),
  map: (c) => c.map("name", { method: "umap" }),
  layOutMap: (c) => c.layOutMap("name", { method: "umap" }),
  mapNames: (c) => c.mapNames("name", { map: "m" }),
  mapPoints: (c) => c.mapPoints("name", { map: "m" }),
  mapValues: (c) => c.mapValues("name", { map: "m", field: "f", values: 5 }),
  mapIds: (c) => c.mapIds("name", { map: "m", offset: 5, limit: 5 }),
  classifyCollection: (c) => c.classifyCollection("name", { label_set: "l" }),
  listLabelSets: (c) => c.listLabelSets(),
  getLabelSet: (c) => c.getLabelSet("name"),
  putLabelSet: (c) => c.putLabelSet("name", { labels: ["a"] }),
  deleteLabelSet: (c) => c.deleteLabelSet("name"),
  search: (c) => c.search("name", { text: "t" }),
  addItems: (c) => c.addItems("name", []),
  listItems: (c) =>
    c.listItems("name", {
      limit: 5,
      after: "x",
      modality: "text",
      filter: "{}",
      include: "embedding",
      order: "newest",
    }),
  getItem: (c) => c.getItem("name", "id", { include: "embedding" }),
  patchItem: (c) => c.patchItem("name", "id", { metadata: {} }),
  patchItems: (c) => c.patchItems("name", { ids: [], metadata: {} }),
  deleteItem: (c) => c.deleteItem("name", "id"),
  deleteItems: (c) => c.deleteItems("name", { ids: [] }),
  itemHashes: (c) => c.itemHashes("name", []),
  itemPreview: (c) => c.itemPreview("name", "id"),
  itemMedia: (c) => c.itemMedia("name", "id", { expires: "1", signature: "s" }),
  archiveMedia: (c) => c.archiveMedia("name", { ids: [] }),
  mediaArchive: (c) => c.mediaArchive("name", "archive", { expires: "1", signature: "s" }),
  exportItems: (c) => c.exportItems("name", { encoding_format: "base64", media: "true" }).next(),
  trainHead: (c) => c.trainHead({ pairs: { collection: "c", by: "label" } }),
  listHeads: (c) => c.listHeads(),
  getHead: (c) => c.getHead("name"),
  deleteHead: (c) => c.deleteHead("name", { force: true }),
  activateHead: (c) => c.activateHead("name", { version: 7 }),
  deactivateHead: (c) => c.deactivateHead("name"),
  rollbackHead: (c) => c.rollbackHead("name"),
  importHead: (c) => c.importHead(new Uint8Array(1), { name: "h" }),
  exportHead: (c) => c.exportHead("name", 7),
  deleteHeadVersion: (c) => c.deleteHeadVersion("name", 7),
  headReport: (c) => c.headReport("name", 7),
  learnBridge: (c) => c.learnBridge({ from: "a", to: "b" }),
  listBridges: (c) => c.listBridges(),
  getBridge: (c) => c.getBridge("name"),
  deleteBridge: (c) => c.deleteBridge("name"),
  activateBridge: (c) => c.activateBridge("name", { version: 7 }),
  deactivateBridge: (c) => c.deactivateBridge("name"),
  rollbackBridge: (c) => c.rollbackBridge("name"),
  listJobs: (c) => c.listJobs(),
  getJob: (c) => c.getJob("id"),
  jobEvents: (c) => c.jobEvents("id").next(),
  cancelJob: (c) => c.cancelJob("id"),
  resumeJob: (c) => c.resumeJob("id"),
  listModels: (c) => c.listModels(),
  reload: (c) => c.reload(),
  loadModel: (c) => c.loadModel({ model: "m" }),
  unloadModel: (c) => c.unloadModel("id"),
  getModel: (c) => c.getModel("id"),
  about: (c) => c.about(),
  live: (c) => c.live(),
  ready: (c) => c.ready(),
  metrics: (c) => c.metrics(),
  openApi: (c) => c.openApi(),
  docs: (c) => c.docs(),
  listClients: (c) => c.listClients(),
  backup: (c) => c.backup(),
  compact: (c) => c.compact(),
};
/** Methods beside those of the operations: another way to call one of them, or any. */
const further = [
  "send",
  "addItem",
  "addItemLines",
  "addItemStream",
  "headReportPage",
  "modalityGapAs",
];

let services: Services;
let document: OpenApiDocument;
beforeAll(async () => {
  const started = await startApp({ models: [] });
  services = started.services;
  document = (await (await started.app.request("/openapi.json")).json()) as OpenApiDocument;
});
afterAll(() => services.close());

const operationsOf = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => !tags.includes("Compatibility"))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );

describe("createClient", () => {
  it("has a method for each operation of /openapi.json that is ours, and no other", () => {
    const operations = operationsOf().map(({ operationId }) => operationId);
    const methods = Object.keys(createClient({ url: "" }));
    expect(methods.sort(), "methods in src/client/*-calls.ts").toEqual(
      [...operations, ...further].sort(),
    );
    expect(Object.keys(calls).sort(), "calls in this file").toEqual(operations.sort());
  });

  it.each(Object.keys(calls))("%s asks for the path that the document names", async (name) => {
    const operation = operationsOf().find(({ operationId }) => operationId === name)!;
    const requests: { method: string; url: URL }[] = [];
    const client = createClient({
      url: "http://server.test/prefix/",
      fetch: async (url, { method = "GET" }) => {
        requests.push({ method, url: new URL(url) });
        return Response.json({ error: { code: "not_found", message: "none" } }, { status: 404 });
      },
    });
    const failed = (async () => calls[name](client))();
    await expect(failed).rejects.toMatchObject({ name: "ApiError", code: "not_found" });
    const [{ method, url }] = requests;
    const path = operation.path.replace("{version}", "7").replaceAll(/\{(\w+)\}/g, "$1");
    expect([method, url.pathname]).toEqual([operation.method, `/prefix${path}`]);
    const parameters = (operation.parameters ?? []).filter((one) => one.in === "query");
    expect([...url.searchParams.keys()].sort()).toEqual(parameters.map((one) => one.name).sort());
  });
});
