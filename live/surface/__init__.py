"""What a browser may reach: who may speak to the show over HTTP and WebSockets."""
