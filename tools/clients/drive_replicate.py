"""Replicate's own library: it waits for the prediction."""

import os

from replicate.client import Client

client = Client(base_url=os.environ["REPLICATE_BASE_URL"])
prediction = client.models.predictions.create("google/veo-3", input={"prompt": "a lamp"})
prediction.wait()
if prediction.status != "succeeded":
    raise SystemExit(f"the prediction ended as {prediction.status}")
