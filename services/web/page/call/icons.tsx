import type { ReactNode } from 'react';

/** Drawn by a line of the text's colour, beside words that say the same: screen readers skip them. */
function icon(shapes: ReactNode) {
  return function Icon({ size = 20 }: { readonly size?: number }) {
    return (
      <svg
        aria-hidden="true"
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.9"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        {shapes}
      </svg>
    );
  };
}

const microphone = (
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>
);

export const MicrophoneIcon = icon(microphone);
export const MutedIcon = icon(
  <>
    {microphone}
    <path d="M4 4l16 16" />
  </>,
);
export const HangUpIcon = icon(
  <path
    d="M3 14.5c5-5 13-5 18 0l-2.2 2.4-3.6-1.6v-2.5a12 12 0 0 0-6.4 0v2.5l-3.6 1.6z"
    fill="currentColor"
  />,
);
export const SendIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15V6a2 2 0 0 1 2-2h8" />
  </>,
);
export const CallIcon = icon(
  <path d="M6.5 3.5l3 .6 1 4-2 1.7a12 12 0 0 0 5.7 5.7l1.7-2 4 1 .6 3c0 1.5-1.5 2.5-3 2.5A15 15 0 0 1 4 6.5c0-1.5 1-3 2.5-3z" />,
);
export const TickIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
export const CrossIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const EarIcon = icon(
  <path d="M7 9a5 5 0 0 1 10 0c0 4-4 4.5-4 8a3 3 0 0 1-5.5 1.7M10 9.5a2 2 0 0 1 4 0c0 1.5-1.5 1.8-2 3" />,
);
export const SoundIcon = icon(
  <path d="M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />,
);
