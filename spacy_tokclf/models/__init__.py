"""thinc layers around encoders: the encoder and its shim, its backends, the head, the listener, ONNX Runtime."""
