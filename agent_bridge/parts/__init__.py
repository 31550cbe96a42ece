"""Parts of texts that are being made about the requests that run here: kept so far, and told. Not
the entries of logs, nor the answers themselves."""
