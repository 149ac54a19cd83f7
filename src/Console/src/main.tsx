import { createRoot } from "react-dom/client";
import { setNonce } from "get-nonce";
import { MantineProvider } from "@mantine/core";
import "@mantine/core/styles.css";
import "./styles.css";
import { App } from "./App";
import { cssVariables, theme } from "./ui/theme";

// Styles that components make at run time are let in by the page's policy where they carry its nonce.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
setNonce(nonce);

createRoot(document.getElementById("root")!).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={cssVariables} getStyleNonce={() => nonce}>
    <App />
  </MantineProvider>,
);
