import sharp from "sharp";

const photo = await sharp("fixtures/images/cat.jpg")
  .resize(640, 480, { fit: "fill" })
  .jpeg({ quality: 85 })
  .toBuffer();

/** In base64. No two are alike to a server; they cost nothing to make. */
export const freshPicture = (i: number): string =>
  Buffer.concat([photo, Buffer.from(`${i}`)]).toString("base64");
