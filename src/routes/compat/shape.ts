import type { Context } from "hono";
import type { z } from "zod";
import type { Content } from "../describe.js";
import type { ReportedError } from "../error-response.js";
import type { RequestVariables } from "../request-context.js";

export type ForeignContext = Context<RequestVariables>;

/** A route of another product. */
export interface ForeignRoute {
  method: "GET" | "POST" | "DELETE";
  path: string;
  /** For shapes that share a path: whether the request is for this one. */
  matches?: (c: ForeignContext) => boolean | Promise<boolean>;
  /** Only at `/compat/NAME`, since another shape has the path. */
  onlyUnderPrefix?: true;
  /** A POST that changes what is stored; others only compute. */
  changes?: true;
  query?: z.ZodObject;
  body?: Content;
  /** By media type; none is an empty answer. */
  returns?: Content;
  /** Of an answer that is not an error; 200 where it is left out. */
  status?: number;
  answer: (c: ForeignContext) => Response | Promise<Response>;
}

/** The form of an error, and the status if it differs from ours. */
export type ErrorForm = (error: ReportedError) => { body: object; status?: number };

/** What a client of another product expects of its server. */
export interface Shape {
  /** It also answers at `/compat/NAME`. */
  name: string;
  errors: ErrorForm;
  /** What `errors` gives. */
  ErrorAnswer: z.ZodType;
  routes: readonly ForeignRoute[];
}
