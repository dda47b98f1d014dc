import ipaddr from "ipaddr.js";
import { z } from "zod";
import { asIs, list, number, option, shownAddress } from "./option.js";

/** Compared letter by letter with what a browser sends: a path or a slash would never match. */
const isOrigin = (text: string): boolean =>
  URL.canParse(text) && (!/^https?:/i.test(text) || new URL(text).origin === text);

/** Compared letter by letter with the name in a request's Host. */
const isHostname = (text: string): boolean =>
  URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text;

/** Who may call, and what the server may call and log. */
export const accessOptions = {
  apiKeys: {
    ...option(
      z.array(
        z
          .string()
          .min(8)
          .regex(
            /^[!-~]*$/,
            "Expected ASCII letters, digits and punctuation, which a header can carry",
          ),
      ),
      [],
      list,
      "Keys with full access, of at least 8 characters, comma-separated, sent as Authorization: " +
        "Bearer or x-api-key; `crossmodal keys` creates better ones.",
    ),
    shown: (keys: readonly string[]) => `(${keys.length} set)`,
  },
  requestsPerMinute: option(
    z.int().min(0),
    0,
    number,
    "Requests a minute from one address, or with a key that has no limit of its own; 0 is " +
      "unlimited.",
  ),
  trustedProxies: option(
    z.array(
      z
        .string()
        .refine(
          (name) => (name.includes("/") ? ipaddr.isValidCIDR(name) : ipaddr.isValid(name)),
          "Expected addresses or ranges such as 10.0.0.0/8",
        ),
    ),
    [],
    list,
    "Addresses and ranges of proxies in front, comma-separated, e.g. 10.0.0.0/8; the client's " +
      "address is taken from their X-Forwarded-For.",
  ),
  auditFile: option(
    z.string(),
    "",
    asIs,
    "File to which each change is appended as a line of JSON: when, who, from where, what; by " +
      "default these lines go to the log, at every logLevel but silent.",
  ),
  maxConnections: option(
    z.int().min(0),
    1024,
    number,
    "Connections that are open at once. For a further one an idle one is closed, or else itself. " +
      "0 is unlimited.",
  ),
  maxConnectionsPerAddress: option(
    z.int().min(0),
    256,
    number,
    "Connections of one address (or /64 of IPv6) that are open at once, but those of trusted " +
      "proxies and of this machine; for a further one an idle one of them is closed, or else " +
      "itself. 0 is unlimited.",
  ),
  tlsCert: option(
    z.string(),
    "",
    asIs,
    "File of the certificate (PEM, with its chain) to serve HTTPS with; read again when it " +
      "changes.",
  ),
  tlsKey: option(z.string(), "", asIs, "File of that certificate's private key (PEM)."),
  urlHosts: option(
    z.array(
      z
        .string()
        .refine(
          (host) => !host.includes("/") || ipaddr.isValidCIDR(host),
          "Expected a host, an address, or a range of addresses like 10.0.0.0/8",
        ),
    ),
    [],
    list,
    "Hosts that media may be fetched from by URL, comma-separated, or * for any public one; " +
      "none by default. In a private network list the address or range too, e.g. " +
      "media.lan,10.0.0.0/24.",
  ),
  sourceFolders: option(
    z.array(z.string().min(1)),
    [],
    list,
    "Folders whose files collections/{name}/move may read again where items name them as their " +
      "source, comma-separated; none by default.",
  ),
  corsOrigins: option(
    z.array(
      z
        .string()
        .refine(
          (origin) => ["*", "null"].includes(origin) || isOrigin(origin),
          "Expected * or an origin as browsers send it, e.g. https://app.example",
        ),
    ),
    [],
    list,
    "Origins whose web pages may call this server, comma-separated, e.g. https://app.example; " +
      "* for any, with apiKeys only.",
  ),
  trustedHosts: option(
    z.array(
      z
        .string()
        .refine(isHostname, "Expected a host name in lower case, without a port, e.g. crossmodal"),
    ),
    [],
    list,
    "Names under which programs on a private network reach this server without a key, " +
      "comma-separated, e.g. crossmodal in a compose file.",
  ),
  immichUpstream: {
    ...option(
      z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
      "",
      asIs,
      "Immich machine-learning server that faces and text recognition are passed on to, e.g. " +
        "http://immich-machine-learning:3003.",
    ),
    shown: shownAddress,
  },
  soundspanMusic: option(
    z.string(),
    "",
    asIs,
    "Folder of the music that soundspan names by trackRef, mounted here as it is there.",
  ),
  otlpEndpoint: {
    ...option(
      z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
      "",
      asIs,
      "OpenTelemetry collector that gets a trace of each request by OTLP over HTTP, e.g. " +
        "http://127.0.0.1:4318; by default that of OTEL_EXPORTER_OTLP_ENDPOINT, if set.",
    ),
    shown: shownAddress,
  },
  logLevel: option(
    z.enum(["debug", "info", "warn", "error", "silent"]),
    "info",
    asIs,
    "Least severe events to log.",
  ),
};
