// A zip archive of pictures. They are compressed already, so they are only stored.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// Little-endian fields: [bytes, value] pairs.
function pack(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

function dosTime(date) {
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return [time, day];
}

/** Give every file a name of its own: "a.jpg", "a (2).jpg". */
export function distinctNames(names) {
  const seen = new Set();
  return names.map((name) => {
    const dot = name.lastIndexOf(".");
    let own = name;
    for (let n = 2; seen.has(own); n++) own = `${name.slice(0, dot)} (${n})${name.slice(dot)}`;
    seen.add(own);
    return own;
  });
}

/** Put blobs into one archive: [{ name, blob }] to a Blob. */
export async function zip(files, now = new Date()) {
  const [time, day] = dosTime(now);
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, blob } of files) {
    const encoded = new TextEncoder().encode(name);
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    // Version 2.0, names in UTF-8 (flag 11), stored (method 0).
    const shared = [[2, 20], [2, 0x800], [2, 0], [2, time], [2, day], [4, crc], [4, blob.size],
      [4, blob.size], [2, encoded.length], [2, 0]];
    const local = pack([[4, 0x04034b50], ...shared]);
    parts.push(local, encoded, blob);
    directory.push(
      pack([[4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]),
      encoded,
    );
    offset += local.byteLength + encoded.length + blob.size;
  }
  const length = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const end = pack([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length],
    [4, length], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
