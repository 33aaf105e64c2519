"""Other model servers beside dermserve: the same ONNX files, pictures, work and client.

python -m benchmarks.peers                 every peer, as its documentation advises and tuned
python -m benchmarks.peers mosec ray       some of them; the results of the others are kept
python -m benchmarks.peers --resume        those that this commit has not measured yet
"""
