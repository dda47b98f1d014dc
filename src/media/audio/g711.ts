/**
 * A-law and mu-law bytes -> samples in [-1, 1). Source: ITU-T G.711 (11/88), tables 1a and 2a, as
 * 16-bit integers.
 */
export const aLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const size = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return ((code & 0x80) !== 0 ? size : -size) / 32768;
});

export const muLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return ((code & 0x80) !== 0 ? -size : size) / 32768;
});
