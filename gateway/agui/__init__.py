"""AG-UI: runs of agents for front-ends that speak that protocol (https://docs.ag-ui.com)."""
