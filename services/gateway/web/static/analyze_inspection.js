// Looks at a file before it is sent: what it is, how large, and whether it may be blurred.

// About where inference, which measures on as small a picture too, finds it too blurred.
const BLURRED_BELOW = 4;
const MEASURED_SIDE = 224;
const THUMBNAIL_SIDE = 144;

const OTHER_KINDS = [
  [0, "GIF8", "a GIF picture"],
  [0, "%PDF", "a PDF document"],
  [0, "BM", "a BMP picture"],
  [0, "II*\0", "a TIFF picture"],
  [0, "MM\0*", "a TIFF picture"],
  [0, "PK", "an archive or a document"],
  [4, "ftypqt", "a film"],
  [4, "ftypmp4", "a film"],
  [4, "ftyp", "a HEIC or AVIF picture, as some phones make them"],
  [8, "WEBP", "a WebP picture"],
  [128, "DICM", "a DICOM file"],
];

/**
 * Look at a file.
 *
 * @param {File} file
 * @param {{maxBytes: number, maxPixels: number, maxSide: number}} limits of the gateway.
 * @returns {Promise<{refusal?: string, hint?: string, thumbnail?: HTMLCanvasElement, digest?: string}>}
 *   why it cannot be sent and how to mend it; else what to think of, a small picture, and its hash.
 */
export async function inspected(file, limits) {
  if (file.size > limits.maxBytes) {
    return { refusal: `It has ${mebibytes(file.size)} and may have ${mebibytes(limits.maxBytes)}. Export it smaller, or as a JPEG.` };
  }
  let content;
  try {
    content = await file.arrayBuffer();
  } catch {
    return { refusal: "It cannot be read: it is a folder, or was moved or changed. Choose it again." };
  }
  const refusal = refused(new DataView(content), limits);
  if (refusal) return { refusal };
  const digest = await hash(content);
  try {
    const bitmap = await createImageBitmap(file);
    const hint = sharpness(bitmap) < BLURRED_BELOW ? "It may be blurred. If you can, take it again; it is sent all the same." : "";
    const thumbnail = thumbnailOf(bitmap);
    bitmap.close();
    return { hint, thumbnail, digest };
  } catch {
    return { refusal: "It is damaged, or only a part of it. Export it anew, or copy it again from where it was made." };
  }
}

/** Return the SHA-256 of bytes, in hexadecimal. */
export async function hash(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function refused(view, { maxPixels, maxSide }) {
  if (!view.byteLength) return "It is empty. Choose the picture itself.";
  const size = pngSize(view) ?? jpegSize(view);
  if (!size) {
    const kind = OTHER_KINDS.find(([at, begins]) => text(view, at, begins.length) === begins)?.[2];
    return `It is ${kind ?? "no picture that we know"}. Export it as JPEG or PNG and choose that.`;
  }
  if (size.width > maxSide || size.height > maxSide || size.width * size.height > maxPixels) {
    return `It has ${size.width} × ${size.height} pixels, which is too many. Export it smaller.`;
  }
  return "";
}

function pngSize(view) {
  if (view.byteLength < 24 || view.getUint32(0) !== 0x89504e47) return null;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** Find the frame header (ISO/IEC 10918-1, B.2.2); a JPEG whose header is not found is left to the gateway. */
function jpegSize(view) {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
  }
  return { width: 0, height: 0 };
}

/** Return the variance of the Laplacian of the gray values (Pech-Pacheco et al., ICPR 2000). */
function sharpness(bitmap) {
  const side = MEASURED_SIDE;
  const { data } = drawn(bitmap, 0, 0, bitmap.width, bitmap.height, side).getContext("2d").getImageData(0, 0, side, side);
  const gray = Float32Array.from({ length: side * side }, (_, at) => 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2]);
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < side - 1; y += 1) {
    for (let at = y * side + 1; at < (y + 1) * side - 1; at += 1) {
      const value = gray[at - 1] + gray[at + 1] + gray[at - side] + gray[at + side] - 4 * gray[at];
      sum += value;
      squares += value * value;
    }
  }
  const count = (side - 2) ** 2;
  return squares / count - (sum / count) ** 2;
}

function thumbnailOf(bitmap) {
  const side = Math.min(bitmap.width, bitmap.height);
  return drawn(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, THUMBNAIL_SIDE);
}

function drawn(bitmap, x, y, width, height, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, x, y, width, height, 0, 0, side, side);
  return canvas;
}

function text(view, at, length) {
  if (at + length > view.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, at, length));
}

function mebibytes(bytes) {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
