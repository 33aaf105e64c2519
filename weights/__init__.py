"""The workshop: where the models are made, measured and put into ONNX files."""
