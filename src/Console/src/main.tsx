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

// Another edge than the one that gave this page may answer by now, and have other files: a page of its own names them. Once: what it then has not got either is no matter of age.
const ReloadedAt = "ollamamax.reloaded";
addEventListener("vite:preloadError", () => {
  if (Date.now() - Number(sessionStorage.getItem(ReloadedAt)) < 30_000) return;
  sessionStorage.setItem(ReloadedAt, String(Date.now()));
  location.reload();
});

createRoot(document.getElementById("root")!).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={cssVariables} getStyleNonce={() => nonce}>
    <App />
  </MantineProvider>,
);
