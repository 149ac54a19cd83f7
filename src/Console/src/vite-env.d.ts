/// <reference types="vite/client" />

// Their own types are six thousand icons' in one.
declare module "@tabler/icons-react/dist/esm/icons/*.mjs" {
  const icon: import("react").ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
  export default icon;
}
