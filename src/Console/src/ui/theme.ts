import { createTheme, type CSSVariablesResolver } from "@mantine/core";

/** Shades that text can be read on and in: WCAG 2.2 asks for a contrast of 4.5. */
export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 9, dark: 8 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  components: {
    // What scrolls sideways on a phone has to do so by keyboard too.
    TableScrollContainer: { defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0, role: "group", "aria-label": "Table" } } } },
  },
  headings: { sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.15rem" }, h3: { fontSize: "1rem" } } },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "#545a61", "--mantine-color-placeholder": "#666c73", "--mantine-color-error": "#c92a2a" },
  dark: { "--mantine-color-dimmed": "#b0b3b8", "--mantine-color-placeholder": "#a6a9ae", "--mantine-color-error": "#ffa8a8" },
});
