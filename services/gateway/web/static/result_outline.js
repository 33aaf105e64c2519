// The border of a mask as a path, which stays thin and sharp at any zoom.

const LONGEST_PX = 1024;
const INSIDE = 128;
const REACH = 3; // points on either side

/**
 * Return the border of a mask as the data of an SVG path.
 *
 * @param {ImageBitmap} mask light inside.
 * @param {number} width of the picture that the path is laid over.
 * @param {number} height of the same.
 */
export function traced(mask, width, height) {
  const scale = Math.min(1, LONGEST_PX / Math.max(mask.width, mask.height));
  const columns = Math.max(1, Math.round(mask.width * scale));
  const rows = Math.max(1, Math.round(mask.height * scale));
  const inside = sampled(mask, columns, rows);
  const across = width / columns;
  const down = height / rows;
  return loops(edges(inside, columns, rows), columns + 1)
    .map(smoothed)
    .map((points) => `M${points.map(([x, y]) => `${(x * across).toFixed(1)} ${(y * down).toFixed(1)}`).join("L")}Z`)
    .join("");
}

function sampled(mask, columns, rows) {
  const canvas = new OffscreenCanvas(columns, rows);
  const context = canvas.getContext("2d");
  context.drawImage(mask, 0, 0, columns, rows);
  const { data } = context.getImageData(0, 0, columns, rows);
  return (x, y) => x >= 0 && y >= 0 && x < columns && y < rows && data[4 * (y * columns + x)] >= INSIDE;
}

/** Return the sides of pixels where inside ends, from corner to corners, inside on the right. */
function edges(inside, columns, rows) {
  const corner = (x, y) => y * (columns + 1) + x;
  const found = new Map();
  const add = (from, to) => found.set(from, [...(found.get(from) ?? []), to]);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) add(corner(x, y), corner(x + 1, y));
      if (!inside(x + 1, y)) add(corner(x + 1, y), corner(x + 1, y + 1));
      if (!inside(x, y + 1)) add(corner(x + 1, y + 1), corner(x, y + 1));
      if (!inside(x - 1, y)) add(corner(x, y + 1), corner(x, y));
    }
  }
  return found;
}

/** Join edges to closed lines through their middles. */
function loops(found, stride) {
  const closed = [];
  for (const start of found.keys()) {
    const points = [];
    for (let at = start; found.get(at)?.length; ) {
      const next = found.get(at).pop();
      points.push([((at % stride) + (next % stride)) / 2, (Math.floor(at / stride) + Math.floor(next / stride)) / 2]);
      at = next;
    }
    if (points.length) closed.push(points);
  }
  return closed;
}

/** Let each point lie in the middle of its neighbours: models see no stairs. */
function smoothed(points) {
  const around = Math.min(REACH, Math.floor((points.length - 1) / 8));
  const at = (index) => points[(index + points.length) % points.length];
  return points.map((_, index) => {
    let [x, y] = [0, 0];
    for (let by = -around; by <= around; by += 1) {
      x += at(index + by)[0];
      y += at(index + by)[1];
    }
    return [x / (2 * around + 1), y / (2 * around + 1)];
  });
}
