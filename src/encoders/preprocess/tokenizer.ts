import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { AppError } from "../../errors.js";
import type { TextPreprocess } from "../manifest.js";

export interface TokenBatch {
  /** [n, l], padded on the right. */
  inputIds: BigInt64Array;
  /** [n, l]: 1 for a token, 0 for padding. */
  attentionMask: BigInt64Array;
  shape: [number, number];
}

/**
 * Texts to token ids by tokenizer.json and the manifest, without a time limit: runs in a thread
 * (tokenizer-thread.ts).
 */
export interface TextTokenizer {
  /** Special tokens included, after truncation. */
  idsOf(text: string): number[];
  encode(texts: readonly string[]): TokenBatch;
  decode(row: TokenRow): string;
}

/** Ids to decode. */
export interface TokenRow {
  /** Ids outside the vocabulary have no text. */
  ids: readonly number[];
  /** Omits special tokens. */
  skipSpecial: boolean;
}

/**
 * How much of a long text is tokenized first, in characters per token of context; more only if that
 * does not fill it.
 */
const charactersPerToken = 64;
/**
 * The most that is tokenized: with SentencePiece, time grows with the square of the letters outside
 * the vocabulary (.2 s for this many).
 */
const maxCharacters = 8192;

/**
 * @param json  a hub `tokenizer.json`. Its padding and truncation are not used: the manifest
 *   defines both.
 *
 * Differences from the reference, on purpose: the end token survives truncation (as in
 * transformers; transformers.js drops it, and CLIP pools there), and special tokens that a user
 * writes out (`<|endoftext|>`, `</s>`) are ordinary characters: as tokens they would truncate the
 * text or move the place where the model pools.
 */
export function loadTokenizer(json: string, spec: TextPreprocess): TextTokenizer {
  let definition: Definition;
  let hub: HubTokenizer;
  try {
    definition = JSON.parse(json) as Definition;
    hub = new HubTokenizer(withoutSpecialTokens(definition), {});
  } catch (error) {
    const message = `tokenizer.json cannot be used: ${(error as Error).message}`;
    throw new AppError("model_corrupt", message, { cause: error });
  }
  const { prefix, suffix } = specialTokensAround(definition);
  const room = spec.contextLength - prefix.length - suffix.length;
  const lowers = lowersCase(definition);

  const idsOf = (text: string): number[] => {
    for (let length = spec.contextLength * charactersPerToken; ; length *= 2) {
      const looked = canonicalize(text.slice(0, length).toWellFormed(), spec);
      const { ids } = hub.encode(lowers ? lowerSigma(looked) : looked, {
        add_special_tokens: false,
      });
      if (ids.length > room || length >= Math.min(text.length, maxCharacters))
        return [...prefix, ...ids.slice(0, room), ...suffix];
    }
  };
  const specials = new Map(
    (definition.added_tokens ?? []).flatMap(({ id, content, special }) =>
      special === true ? [[id, content] as const] : [],
    ),
  );
  const decode = ({ ids, skipSpecial }: TokenRow): string => {
    const pieces: (string | number[])[] = [];
    for (const id of ids) {
      const special = specials.get(id);
      const last = pieces.at(-1);
      if (special !== undefined) pieces.push(skipSpecial ? "" : special);
      else if (hub.id_to_token(id) === undefined) continue;
      else if (Array.isArray(last)) last.push(id);
      else pieces.push([id]);
    }
    return pieces.map((one) => (typeof one === "string" ? one : hub.decode(one))).join("");
  };
  return { idsOf, encode: (texts) => padRows(texts.map(idsOf), spec), decode };
}

/** Rows of ids as a batch, padded as the manifest says. */
export function padRows(
  rows: readonly (readonly number[])[],
  { padding, contextLength, padTokenId }: TextPreprocess,
): TokenBatch {
  const length =
    padding === "max"
      ? contextLength
      : rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const inputIds = new BigInt64Array(rows.length * length).fill(BigInt(padTokenId));
  const attentionMask = new BigInt64Array(rows.length * length);
  for (const [i, row] of rows.entries()) {
    for (const [j, id] of row.entries()) {
      inputIds[i * length + j] = BigInt(id);
      attentionMask[i * length + j] = 1n;
    }
  }
  return { inputIds, attentionMask, shape: [rows.length, length] };
}

/**
 * `whitespace` is Python's `" ".join(text.split())`. `siglip` is big_vision's canonicalize_text;
 * SigLIP 2 was trained on lower-cased text and keeps its punctuation.
 */
function canonicalize(text: string, { canonicalize: how }: TextPreprocess): string {
  if (how === "none") return text;
  if (how === "lower") return text.toLowerCase();
  if (how === "whitespace") return collapsed(text);
  return collapsed(text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, ""));
}

const collapsed = (text: string) => text.replace(/\s+/g, " ").trim();

/**
 * JavaScript writes a capital sigma at the end of a word as ς. The reference (Rust) lowers one
 * letter at a time and knows only σ: "ΣΑΣ" would get other ids.
 */
const lowerSigma = (text: string) => text.replaceAll("\u03a3", "\u03c3");

const lowersCase = ({ normalizer }: Definition) =>
  /"Lowercase"|"lowercase":true/.test(JSON.stringify(normalizer ?? null));

interface Definition {
  normalizer?: unknown;
  added_tokens?: { id: number; content: string; special?: boolean }[];
  post_processor?: PostProcessor | null;
}

type PostProcessor =
  | { type: "Sequence"; processors: PostProcessor[] }
  | {
      type: "TemplateProcessing";
      single: ({ SpecialToken: { id: string } } | { Sequence: unknown })[];
      special_tokens: Record<string, { ids: number[] }>;
    }
  | { type: "RobertaProcessing" | "BertProcessing"; cls: [string, number]; sep: [string, number] }
  | { type: "ByteLevel" };

/** The ids that the tokenizer puts before and after a single text. */
function specialTokensAround({ post_processor: processor }: Definition): {
  prefix: number[];
  suffix: number[];
} {
  if (processor === null || processor === undefined || processor.type === "ByteLevel")
    return { prefix: [], suffix: [] };
  if (processor.type === "Sequence") {
    const parts = processor.processors.map((part) => specialTokensAround({ post_processor: part }));
    return {
      prefix: parts.flatMap((part) => part.prefix),
      suffix: parts.flatMap((part) => part.suffix),
    };
  }
  if (processor.type !== "TemplateProcessing")
    return { prefix: [processor.cls[1]], suffix: [processor.sep[1]] };
  const at = processor.single.findIndex((piece) => "Sequence" in piece);
  const idsOf = (pieces: typeof processor.single) =>
    pieces.flatMap((piece) =>
      "SpecialToken" in piece ? processor.special_tokens[piece.SpecialToken.id].ids : [],
    );
  return {
    prefix: idsOf(processor.single.slice(0, at)),
    suffix: idsOf(processor.single.slice(at + 1)),
  };
}

/** Without its list of added special tokens, the tokenizer finds none in a text. */
function withoutSpecialTokens(definition: Definition): Definition {
  return {
    ...definition,
    added_tokens: definition.added_tokens?.filter(({ special }) => special !== true),
  };
}
