/** Small pictures beside words, drawn with the colour of the text. */
const SHAPES = {
  clock: 'M8 4.5V8l2.2 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
  begin: 'M8 2a6 6 0 0 1 6 6M8 14a6 6 0 0 1-6-6M2.9 4.8A6 6 0 0 1 5 2.9M13.1 11.2A6 6 0 0 1 11 13.1',
  ring: 'M13 8A5 5 0 1 1 3 8a5 5 0 0 1 10 0Z',
  voice: 'M2.5 6.8v2.4M5.2 4.5v7M8 2.5v11M10.8 4.5v7M13.5 6.8v2.4',
  again: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 1.8v3.4h-3.4',
  stop: 'M4 4h8v8H4Z',
  alert: 'M8 2 14.5 13.5h-13ZM8 6.5v3.2M8 11.6v.1',
  check: 'M3 8.5 6.5 12 13 4.5',
  down: 'M8 3v8.5M4 8l4 4 4-4',
  cut: 'M3 3l10 10M6 2.6A6 6 0 0 1 13.4 10M10.6 13.2A6 6 0 0 1 2.8 5.4',
  bolt: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8Z',
  lock: 'M4 7.5h8v6H4ZM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
