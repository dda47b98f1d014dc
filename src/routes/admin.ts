import { Hono } from "hono";
import { type RecentClients, windowMinutes } from "../access/recent-clients.js";
import { AppError } from "../errors.js";
import { ClientList, ReloadAnswer } from "../wire/server.js";
import { describe, json } from "./describe.js";

const reloadOperation = describe({
  id: "reload",
  tag: "Server",
  summary: "Reads the configuration again and applies what it can, without dropping requests",
  description:
    "Names the options that have changed and are used from the next request on, and those that " +
    "need a restart. An invalid configuration changes nothing.",
  answers: { 200: { content: json(ReloadAnswer) } },
  errors: ["invalid_input", "conflict", "model_not_found", "model_corrupt"],
});

const clientsOperation = describe({
  id: "listClients",
  tag: "Server",
  summary: "Who asked this server lately, and with which program",
  description:
    "By API key, or by address where there is none. The last 100 since the start, kept in memory " +
    "only; a server says nothing about others that share its database.",
  answers: { 200: { content: json(ClientList) } },
});

/** `POST /v1/admin/reload`, which SIGHUP does too, and `GET /v1/admin/clients`. */
export function adminRoutes(clients: RecentClients, reload?: () => Promise<ReloadAnswer>) {
  return new Hono()
    .post("/v1/admin/reload", reloadOperation, async (c) => {
      if (reload === undefined) {
        const message = "Only a server that listens can read its configuration again";
        throw new AppError("conflict", message);
      }
      return c.json(await reload());
    })
    .get("/v1/admin/clients", clientsOperation, (c) => c.json(listOf(clients)));
}

const listOf = (clients: RecentClients): ClientList => ({
  window_minutes: windowMinutes,
  data: clients
    .list()
    .map(({ key = null, address, program = null, apis, requests, errors, lastSeenAt }) => ({
      key,
      address,
      program,
      apis,
      requests,
      errors,
      last_seen_at: lastSeenAt.toISOString(),
    })),
});
