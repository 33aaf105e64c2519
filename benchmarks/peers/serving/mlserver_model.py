"""MLServer: a custom runtime behind its V2 protocol; tuned: a worker a core.

Its REST protocol carries bytes as base64 in JSON. It has no bound and no deadline to set.
"""

import json

from mlserver import MLModel, types
from mlserver.codecs import Base64Codec, StringCodec

from benchmarks.peers.serving.work import Analyst


class Runtime(MLModel):
    """One tensor of bytes in, one string of JSON out."""

    async def load(self) -> bool:
        """Load the models, once in every worker."""
        self.analyst = Analyst.of_onnx()
        return True

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        """Analyze one picture."""
        [picture] = Base64Codec.decode_input(payload.inputs[0])
        answer = json.dumps(self.analyst.analyze(picture))
        output = StringCodec.encode_output("analysis", [answer])
        return types.InferenceResponse(model_name=self.name, outputs=[output])
