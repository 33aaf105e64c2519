"""Smaller copies of an exported model: int8 for processors, fp16 for graphics cards."""
