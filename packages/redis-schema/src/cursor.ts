export function encodeCursor(cursor: { score: string; id: string }): string {
  return Buffer.from(`${cursor.score} ${cursor.id}`).toString('base64url');
}

export function decodeCursor(cursor: string | undefined): { score: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,16}) (\S+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  return match?.[1] !== undefined && match[2] !== undefined ? { score: match[1], id: match[2] } : undefined;
}
