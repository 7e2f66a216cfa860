export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#006ce0" />
      <path d="M8 8.500A2.500 2.500 0 0 1 10.500 6h11A2.500 2.500 0 0 1 24 8.500v9a2.500 2.500 0 0 1-2.500 2.500H15l-5 5v-5.050A2.500 2.500 0 0 1 8 17.500z" fill="#fff" />
      <path d="M12 11h8M12 15h5" stroke="#006ce0" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}
