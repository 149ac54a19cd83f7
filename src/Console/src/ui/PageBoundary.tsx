import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Page } from "./Page";

interface PageBoundaryProps {
  title: string;
  children: ReactNode;
}

/**
 * What broke a page stands in its place, and the others go on. Above all: a page is loaded when it is first asked for, and an edge that was updated
 * meanwhile no longer has the one that belongs to this console; the reload brings the new one.
 */
export class PageBoundary extends Component<PageBoundaryProps, { error?: string }> {
  override state: { error?: string } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { error } = this.state;
    return error === undefined ? (
      this.props.children
    ) : (
      <Page title={this.props.title} error={`The page cannot be shown: ${error}`} actions={<Button onClick={() => location.reload()}>Reload</Button>}>
        {null}
      </Page>
    );
  }
}
