import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { App } from "../../src/app.js";
import { type OpenApiDocument, openApiDocument } from "../../src/openapi/document.js";

/**
 * The app, whose answers to `request` have to be as /openapi.json says: a documented status, a
 * media type that the status has, and JSON of its schema without further fields. Streams are left
 * alone, since reading them would change their pace.
 */
export function checkAnswers(app: App): App {
  const request = app.request.bind(app);
  let checker: Promise<AnswerChecker> | undefined;
  app.request = async (...args: Parameters<App["request"]>) => {
    const response = await request(...args);
    const [input, init] = args;
    const { method, url } =
      input instanceof Request
        ? input
        : new Request(new URL(input, "http://localhost"), { method: init?.method });
    checker ??= openApiDocument(app).then((document) => new AnswerChecker(document));
    await (await checker).check(method, new URL(url).pathname, response);
    return response;
  };
  return app;
}

export class AnswerChecker {
  readonly #document: OpenApiDocument;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #paths: { template: string; pattern: RegExp }[];

  constructor(document: OpenApiDocument) {
    this.#document = closed(document) as OpenApiDocument;
    this.#ajv = new Ajv2020({ strict: false, allErrors: false });
    this.#ajv.addSchema(this.#document, "openapi");
    this.#paths = Object.keys(document.paths).map((template) => {
      // Hugging Face's names of models have slashes
      const name = /^(?!\/v2)(.*)\/(hf|models|pipeline\/\{task\})\/\{model\}$/.test(template)
        ? ".+"
        : "[^/]+";
      const escaped = template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, name);
      return { template, pattern: new RegExp(`^${escaped}$`) };
    });
  }

  /** @throws Error that says where the answer is not as documented. */
  async check(method: string, path: string, response: Response): Promise<void> {
    const { status } = response;
    if (status === 405 || method === "HEAD") return;
    const templates = this.#paths.filter(({ pattern }) => pattern.test(path));
    // `/heads/import` is `/heads/{name}` too: the one without parameters is meant.
    const found = templates
      .sort((a, b) => a.template.split("{").length - b.template.split("{").length)
      .find(({ template }) => method.toLowerCase() in this.#document.paths[template]);
    if (found === undefined) {
      if ([401, 403, 404].includes(status)) return;
      throw new Error(`${method} ${path} is not described, and answers ${status}`);
    }
    const { template } = found;
    const where = `${method} ${template} -> ${status}`;
    const { responses } = this.#document.paths[template][method.toLowerCase()];
    // Other products' errors are described once for all their statuses
    const key = responses[status] === undefined && status >= 400 ? "default" : String(status);
    const answer = responses[key];
    if (answer === undefined) {
      throw new Error(
        `${where} is not described: ${(await response.clone().text()).slice(0, 300)}`,
      );
    }
    const type = (response.headers.get("content-type") ?? "").split(";")[0];
    if (answer.content === undefined && type === "") return;
    if (answer.content?.[type] === undefined) throw new Error(`${where} has no ${type}`);
    if (type !== "application/json") return;
    const pointer = ["paths", template, method.toLowerCase(), "responses", key]
      .concat("content", type, "schema")
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"));
    this.validate(`#/${pointer.join("/")}`, await response.clone().json(), where);
  }

  compile(pointer: string): ValidateFunction {
    let validator = this.#validators.get(pointer);
    if (validator === undefined) {
      validator = this.#ajv.compile({ $ref: `openapi${encodeURI(pointer)}` });
      this.#validators.set(pointer, validator);
    }
    return validator;
  }

  /** @param pointer  of a schema in the document, e.g. `#/components/schemas/LineStatus`. */
  validate(pointer: string, value: unknown, where = pointer): void {
    const validator = this.compile(pointer);
    if (validator(value)) return;
    const errors = validator.errors?.map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
    throw new Error(`${where}: ${errors?.join("; ")}\n${JSON.stringify(value).slice(0, 500)}`);
  }
}

/** Answers may have more fields one day, but none today that is not described. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  const isObject = copy.type === "object" && typeof copy.properties === "object";
  return isObject && copy.additionalProperties === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
