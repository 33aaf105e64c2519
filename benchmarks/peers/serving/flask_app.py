"""The old way: Flask, and Keras's ``predict`` in the request.

Default: Flask's own server, as its quick start runs it. Tuned: gunicorn with a process a core
and traced graphs instead of ``predict``; the command stands in the catalogue.
"""

from flask import Flask, request

from benchmarks.peers.serving import keras_models
from benchmarks.peers.serving.work import PORT, TUNED, Answer

app = Flask(__name__)
analyst = keras_models.analyst(tuned=TUNED)


@app.post("/analyze")
def analyze() -> Answer:
    """Answer one uploaded picture."""
    return analyst.analyze(request.get_data() if TUNED else request.files["image"].read())


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=PORT)
