import { createReadStream } from "node:fs";

/**
 * Operators whose name begins so: DynamicQuantizeLinear of ONNX, DynamicQuantizeMatMul and -LSTM of
 * ONNX Runtime.
 */
const prefix = Buffer.from("DynamicQuantize");

/**
 * Whether a graph quantizes activations while it runs. Such an operator takes its scale from the
 * largest value of the whole tensor, the neighbours in the batch included: an input's embedding
 * would depend on them (measured: up to .017 per number; docs/decisions/0045-batch-is-single.md).
 * MatMulNBits and static quantization do not.
 *
 * @param path  an ONNX file. Operators' names are plain text in it, so it is searched as bytes:
 *   nothing is parsed.
 */
export async function quantizesDynamically(path: string): Promise<boolean> {
  let end = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([end, chunk as Buffer]);
    if (bytes.includes(prefix)) return true;
    end = bytes.subarray(-prefix.length + 1);
  }
  return false;
}
