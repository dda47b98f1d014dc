import { Hono } from "hono";
import { AppError } from "../errors.js";
import { ReloadAnswer } from "../wire/server.js";
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

/** `POST /v1/admin/reload`; SIGHUP does the same. */
export function adminRoutes(reload: (() => Promise<ReloadAnswer>) | undefined) {
  return new Hono().post("/v1/admin/reload", reloadOperation, async (c) => {
    if (reload === undefined)
      throw new AppError("conflict", "Only a server that listens can read its configuration again");
    return c.json(await reload());
  });
}
