// Where each picture goes: rows of one height that fill the width, as on a light table.

const GAP = 14;
const CAPTION = 46;
const NARROWEST = 0.5;
const WIDEST = 2.6;

// Thumbnails below this height carry no words.
const hasCaptions = (height) => height >= 130;

const proportion = ({ file }) => {
  const own = file.width ? file.width / file.height : file.video ? 16 / 9 : 1;
  return Math.min(WIDEST, Math.max(NARROWEST, own));
};

function inRows(shots, width, height) {
  const rows = [];
  const words = hasCaptions(height) ? CAPTION : 0;
  let top = 0;
  let from = 0;
  let sum = 0;
  const close = (to, rowHeight) => {
    const proportions = shots.slice(from, to).map(proportion);
    rows.push({ top, from, to, height: rowHeight, widths: proportions.map((part) => part * rowHeight) });
    top += rowHeight + words + GAP;
    from = to;
    sum = 0;
  };
  for (let index = 0; index < shots.length; index += 1) {
    sum += proportion(shots[index]);
    const gaps = (index - from) * GAP;
    if (sum * height + gaps >= width) close(index + 1, (width - gaps) / sum);
  }
  if (from < shots.length) close(shots.length, Math.min(height, (width - (shots.length - from - 1) * GAP) / sum));
  return { rows, height: top };
}

// The index of the last row that begins at or above a height.
function rowAt(rows, y) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].top <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}
