"""Encoders in ONNX Runtime."""
